//! People whom the person wants told when records are opened in an emergency. Kept by the server, never on
//! the device.

use warifu_consent::json::{Value, object};

/// How many there may be, as the server has it.
pub const MOST: usize = 5;
/// Characters of a name or address.
pub const LONGEST: usize = 200;
/// Ways to reach somebody, as the server names them.
pub const WAYS: [&str; 3] = ["mail", "phone", "post"];

/// One of them, or what is filled in so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// One of [`WAYS`]; empty until it is chosen.
    pub by: String,
    /// Address or number.
    pub to: String,
}

impl Contact {
    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| Some(value.get(name)?.text()?.to_owned());
        Some(Self {
            name: text("name")?,
            by: text("by")?,
            to: text("to")?,
        })
    }

    /// Without spaces at the ends, as the server keeps it.
    pub fn trimmed(&self) -> Self {
        Self {
            name: self.name.trim().to_owned(),
            by: self.by.clone(),
            to: self.to.trim().to_owned(),
        }
    }
}

/// All of an answer; absent where it is none.
pub fn read(value: &Value) -> Option<Vec<Contact>> {
    match value.get("contacts")? {
        Value::Array(all) => all.iter().map(Contact::read).collect(),
        _ => None,
    }
}

/// All as a body.
pub fn write(all: &[Contact]) -> Value {
    let one = |c: &Contact| {
        object([
            ("name", c.name.as_str().into()),
            ("by", c.by.as_str().into()),
            ("to", c.to.as_str().into()),
        ])
    };
    let all = all.iter().map(one).collect();
    object([("contacts", Value::Array(all))])
}
