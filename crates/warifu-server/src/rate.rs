//! How much one client may ask: a bucket for each, which time fills again.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;

/// Clients that are told apart at a time; the rest of them share one bucket.
const CLIENTS: usize = 65_536;
/// How often those are forgotten whose bucket is full again.
const SWEEP: Duration = Duration::from_secs(1);
/// In which a bucket fills from empty.
const FILL: Duration = Duration::from_mins(1);

/// The address at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Who is counted together: an address of IPv4, or a network of IPv6 as one household has it (/64).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Client([u8; 8]);

impl Client {
    /// All whom there is no room to tell apart.
    const OTHERS: Self = Self([0xff; 8]);

    /// Who sent a request; `None` for one who is not counted. `forwarded`: a proxy on this machine
    /// appends whom it speaks for to `X-Forwarded-For`.
    pub(crate) fn of(peer: IpAddr, forwarded: bool, headers: &HeaderMap) -> Option<Self> {
        if !peer.is_loopback() {
            return Some(Self::at(peer));
        }
        // The last one is the proxy's word; those before it are anybody's.
        let last = headers.get_all("x-forwarded-for").iter().next_back();
        let last = last.filter(|_| forwarded)?.to_str().ok()?;
        let last = last.rsplit(',').next().unwrap_or_default().trim();
        Some(last.parse().map_or(Self::OTHERS, Self::at))
    }

    fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(four) => {
                let [a, b, c, d] = four.octets();
                Self([0, 0, 0, 0, a, b, c, d])
            }
            IpAddr::V6(six) => {
                let [a, b, c, d, e, f, g, h, ..] = six.octets();
                Self([a, b, c, d, e, f, g, h])
            }
        }
    }
}

#[derive(Debug, Default)]
struct Buckets {
    /// What was taken, as the time that fills it again, and when that was so.
    taken: BTreeMap<Client, (Duration, Duration)>,
    swept: Duration,
}

/// Buckets of all clients.
#[derive(Debug)]
pub(crate) struct Rates {
    /// Requests a minute; 0 for no bound.
    most: u32,
    clients: usize,
    buckets: Mutex<Buckets>,
}

/// What is left of a debt after some time.
fn left((debt, at): (Duration, Duration), now: Duration) -> Duration {
    debt.saturating_sub(now.saturating_sub(at))
}

impl Rates {
    pub(crate) fn new(most: u32) -> Self {
        Self {
            most,
            clients: CLIENTS,
            buckets: Mutex::default(),
        }
    }

    /// Whether a client may ask once more at `now`, by a clock that never goes back.
    pub(crate) fn admits(&self, client: Client, now: Duration) -> bool {
        let Some(one) = FILL.checked_div(self.most) else {
            return true;
        };
        let mut all = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = all.taken.len() >= self.clients;
        if full && now.saturating_sub(all.swept) >= SWEEP {
            all.swept = now;
            all.taken
                .retain(|_, debt| left(*debt, now) > Duration::ZERO);
        }
        let known = all.taken.contains_key(&client) || all.taken.len() < self.clients;
        let client = if known { client } else { Client::OTHERS };
        let entry = all.taken.entry(client).or_default();
        let debt = left(*entry, now) + one;
        if debt > FILL {
            return false;
        }
        *entry = (debt, now);
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn client(text: &str) -> Client {
        Client::at(text.parse().unwrap())
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_client_has_a_minutes_worth_and_gets_it_back() {
        let rates = Rates::new(3);
        let (a, b) = (client("192.0.2.1"), client("192.0.2.2"));
        let asked: Vec<bool> = (0..5).map(|_| rates.admits(a, seconds(100))).collect();
        assert_eq!(asked, [true, true, true, false, false]);
        assert!(rates.admits(b, seconds(100)));
        assert!(!rates.admits(a, seconds(119)));
        assert!(rates.admits(a, seconds(120)));
        assert!(!rates.admits(a, seconds(120)));
        let asked = (0..5).filter(|_| rates.admits(a, seconds(1_000)));
        assert_eq!(asked.count(), 3);
        let none = Rates::new(0);
        assert!((0..10_000).all(|_| none.admits(a, seconds(0))));
    }

    #[test]
    fn many_clients_take_no_more_memory_than_there_is() {
        let rates = Rates {
            clients: 2,
            ..Rates::new(1)
        };
        let all: Vec<Client> = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]
            .map(client)
            .to_vec();
        let now = seconds(5);
        let asked: Vec<bool> = all.iter().map(|c| rates.admits(*c, now)).collect();
        // The third and the fourth are one.
        assert_eq!(asked, [true, true, true, false]);
        assert!(rates.buckets.lock().unwrap().taken.len() <= 3);
        // When the first two are forgotten there is room again.
        assert!(all.iter().skip(2).all(|c| rates.admits(*c, seconds(70))));
        assert!(rates.buckets.lock().unwrap().taken.len() <= 3);
    }

    #[test]
    fn a_client_is_who_is_at_the_other_end() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "203.0.113.9".parse().unwrap());
        headers.append("x-forwarded-for", "203.0.113.8, 192.0.2.1".parse().unwrap());
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        let far: IpAddr = "192.0.2.7".parse().unwrap();
        assert_eq!(Client::of(far, true, &headers), Some(client("192.0.2.7")));
        assert_eq!(Client::of(local, false, &headers), None);
        assert_eq!(Client::of(local, true, &headers), Some(client("192.0.2.1")));
        assert_eq!(Client::of(local, true, &HeaderMap::new()), None);
        headers.insert("x-forwarded-for", "unknown".parse().unwrap());
        assert_eq!(Client::of(local, true, &headers), Some(Client::OTHERS));
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }
}
