//! Whether a text is a UCUM unit: the grammar with all unit symbols.
//!
//! Two liberties that R4's own list of common units takes: spaces in annotations (`{clock time}`), and
//! an annotation behind a parenthesis (`U/(10.g){feces}`).
//!
//! Standard: The Unified Code for Units of Measure, version 2.1, §2 (grammar), §4 (tables); case
//! sensitive form.

/// Units that take prefixes.
const METRIC: &str = "\
    m s g rad K C cd mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv l L ar t bar u eV pc \
    [c] [h] [k] [eps_0] [mu_0] [e] [m_e] [m_p] [G] [g] [ly] gf Ky Gal dyn erg P Bi St Mx G Oe Gb sb \
    Lmb ph Ci R RAD REM cal_[15] cal_[20] cal_m cal_IT cal_th cal tex m[H2O] m[Hg] mho g% osm eq U \
    kat [iU] [IU] Np B B[SPL] B[V] B[mV] B[uV] B[10.nV] B[W] B[kW] st bit By Bd [psi]";

/// Units that take none.
const OTHER: &str = "\
    10* 10^ [pi] % [ppth] [ppm] [ppb] [pptr] gon deg ' '' min h d a_t a_j a_g a wk mo_s mo_j mo_g mo \
    atm AU att [lbf_av] b Ao [smoot] [m/s2/Hz^(1/2)] bit_s circ sph \
    [in_i] [ft_i] [yd_i] [mi_i] [fth_i] [nmi_i] [kn_i] [sin_i] [sft_i] [syd_i] [cin_i] [cft_i] \
    [cyd_i] [bf_i] [cr_i] [mil_i] [cml_i] [hd_i] \
    [ft_us] [yd_us] [in_us] [rd_us] [ch_us] [lk_us] [rch_us] [rlk_us] [fth_us] [fur_us] [mi_us] \
    [acr_us] [srd_us] [smi_us] [sct] [twp] [mil_us] \
    [in_br] [ft_br] [rd_br] [ch_br] [lk_br] [fth_br] [pc_br] [yd_br] [mi_br] [nmi_br] [kn_br] [acr_br] \
    [gal_us] [bbl_us] [qt_us] [pt_us] [gil_us] [foz_us] [fdr_us] [min_us] [crd_us] [bu_us] [gal_wi] \
    [pk_us] [dqt_us] [dpt_us] [tbs_us] [tsp_us] [cup_us] [foz_m] [cup_m] [tsp_m] [tbs_m] \
    [gal_br] [pk_br] [bu_br] [qt_br] [pt_br] [gil_br] [foz_br] [fdr_br] [min_br] \
    [gr] [lb_av] [oz_av] [dr_av] [scwt_av] [lcwt_av] [ston_av] [lton_av] [stone_av] \
    [pwt_tr] [oz_tr] [lb_tr] [sc_ap] [dr_ap] [oz_ap] [lb_ap] [oz_m] [car_m] [car_Au] \
    [lne] [pnt] [pca] [pnt_pr] [pca_pr] [pied] [pouce] [ligne] [didot] [cicero] \
    [degF] [degR] [degRe] [Cal] [Btu_39] [Btu_59] [Btu_60] [Btu_m] [Btu_IT] [Btu_th] [Btu] [HP] [den] \
    [in_i'H2O] [in_i'Hg] [PRU] [wood'U] [diop] [p'diop] %[slope] [mesh_i] [Ch] [drp] [hnsf'U] [MET] \
    [hp'_X] [hp'_C] [hp'_M] [hp'_Q] [hp_X] [hp_C] [hp_M] [hp_Q] [kp_X] [kp_C] [kp_M] [kp_Q] \
    [pH] [S] [HPF] [LPF] [arb'U] [USP'U] [GPL'U] [MPL'U] [APL'U] [beth'U] [anti'Xa'U] [todd'U] [dye'U] \
    [smgy'U] [bdsk'U] [ka'U] [knk'U] [mclg'U] [tb'U] [CCID_50] [TCID_50] [EID_50] [PFU] [FFU] [CFU] \
    [IR] [BAU] [AU] [Amb'a'1'U] [PNU] [Lf] [D'ag'U] [FEU] [ELU] [EU] [NTU] [FNU]";

/// Prefixes; the two-letter ones first.
const PREFIXES: &str = "da Ki Mi Gi Ti Y Z E P T G M k h d c m u n p f a z y";

/// Parentheses inside each other.
const DEEPEST: u8 = 16;

/// Whether a code is a unit.
///
/// ```
/// # use warifu_terminology::is_ucum;
/// assert!(is_ucum("mg/dL") && is_ucum("10*3/uL") && is_ucum("{錠}") == false);
/// assert!(!is_ucum("mg / dL") && !is_ucum("cc"));
/// ```
pub fn is_ucum(code: &str) -> bool {
    let mut p = Parser {
        rest: code.strip_prefix('/').unwrap_or(code),
        depth: 0,
    };
    code.is_ascii() && p.term() && p.rest.is_empty()
}

struct Parser<'t> {
    rest: &'t str,
    depth: u8,
}

impl Parser<'_> {
    fn eat(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Components with `.` and `/` between them.
    fn term(&mut self) -> bool {
        loop {
            if !self.component() {
                return false;
            }
            if !self.eat('.') && !self.eat('/') {
                return true;
            }
        }
    }

    fn component(&mut self) -> bool {
        if self.eat('(') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return false;
            }
            let _ = self.eat('/');
            let whole = self.term() && self.eat(')');
            self.depth -= 1;
            self.annotation();
            return whole;
        }
        if self.annotation() {
            return true;
        }
        let mut inside = 0_i32;
        let end = self.rest.find(|c| {
            match c {
                '[' => inside += 1,
                ']' => inside -= 1,
                _ => {}
            }
            inside == 0 && matches!(c, '.' | '/' | '(' | ')' | '{')
        });
        let (token, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if !is_simple(token) {
            return false;
        }
        self.annotation();
        true
    }

    /// `{text}`; false where there is none, or it does not end.
    fn annotation(&mut self) -> bool {
        let Some((text, rest)) = self.rest.strip_prefix('{').and_then(|r| r.split_once('}')) else {
            return false;
        };
        let whole = !text.contains('{') && text.bytes().all(|b| matches!(b, b' '..=b'~'));
        if whole {
            self.rest = rest;
        }
        whole
    }
}

/// A number, or a unit with prefix and exponent.
fn is_simple(token: &str) -> bool {
    if token.is_empty() {
        return false;
    }
    if token.bytes().all(|b| b.is_ascii_digit()) {
        return true;
    }
    if is_unit(token) {
        return true;
    }
    let symbol = token.trim_end_matches(|c: char| c.is_ascii_digit());
    if symbol.len() == token.len() {
        return false;
    }
    let symbol = symbol.strip_suffix(['+', '-']).unwrap_or(symbol);
    is_unit(symbol)
}

fn is_unit(symbol: &str) -> bool {
    let in_list = |list: &str, s: &str| list.split(' ').any(|u| u == s);
    in_list(METRIC, symbol)
        || in_list(OTHER, symbol)
        || PREFIXES
            .split(' ')
            .filter_map(|p| symbol.strip_prefix(p))
            .any(|rest| in_list(METRIC, rest))
}

#[cfg(test)]
mod tests {
    use super::is_ucum;

    #[test]
    fn units_and_what_is_none() {
        for good in [
            "1",
            "10",
            "mg",
            "mg/dL",
            "/min",
            "{tablet}",
            "mg{total}",
            "10*3/uL",
            "10*-6",
            "mm[Hg]",
            "kg/m2",
            "m2.s-1",
            "(mg/kg)/d",
            "mL/min/{1.73_m2}",
            "[iU]/L",
            "k[iU]/L",
            "Cel",
            "%",
            "mmol/L",
            "[degF]",
            "U/L",
            "g.m/({hb}.m2)",
            "m+2",
            "/(m.s)",
            "ug/(24.h)",
            "KiBy",
            "/[HPF]",
            "dB[10.nV]",
            "%[slope]",
        ] {
            assert!(is_ucum(good), "{good}");
        }
        for bad in [
            "", "mg ", " mg", "cc", "mg/", "/", "//m", "m//s", "m.", ".m", "m2s", "{open", "open}",
            "()", "(m", "m)", "[foo]", "錠", "{錠}", "kk", "dmin", "m-", "2m", "µg", "10^3/µL",
            "{a{b}}", "m s", "mEq/ L", "[in_i",
        ] {
            assert!(!is_ucum(bad), "{bad}");
        }
        let deep = format!("{}m{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(!is_ucum(&deep));
        assert!(is_ucum("m.".repeat(20_000).trim_end_matches('.')));
    }
}
