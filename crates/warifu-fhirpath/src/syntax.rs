//! Text to program: FHIRPath 2.0, Appendix B.

use regex_lite::RegexBuilder;
use warifu_r4::Core;

use crate::dec::Dec;
use crate::functions::{FUNCTIONS, Function};
use crate::program::{Bounds, Id, Node, Op, Pattern, Program, Run, SystemType, TypeSpec};
use crate::quick::Quick;
use crate::temporal::Temporal;

/// Why an expression cannot be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// Something else than the grammar allows.
    #[error("unexpected text")]
    Unexpected,
    /// The expression ends too early.
    #[error("the expression ends too early")]
    End,
    /// A string or comment without end.
    #[error("no end of a string, name or comment")]
    Unterminated,
    /// A literal that is no value (`@2015-13`).
    #[error("not a value of its type")]
    Literal,
    /// No such function.
    #[error("no such function")]
    Function,
    /// A function with too few or too many arguments.
    #[error("wrong number of arguments")]
    Arguments,
    /// No such type.
    #[error("no such type")]
    Type,
    /// A regular expression that cannot be compiled, or is too large.
    #[error("not a usable regular expression")]
    Pattern,
    /// Beyond [`Bounds`].
    #[error("too long or too deeply nested")]
    Bounds,
}

/// Why an expression cannot be compiled, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {at}")]
pub struct SyntaxError {
    /// Why.
    pub kind: SyntaxErrorKind,
    /// Byte of the expression.
    pub at: usize,
}

type R<T> = Result<T, SyntaxError>;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    End,
    /// A name; whether it stood between backticks.
    Name(String, bool),
    Text(String),
    Number(Dec, bool),
    Temporal(Temporal),
    Variable(String),
    Dollar(&'static str),
    Sign(&'static str),
}

const SIGNS: &[&str] = &[
    "!=", "!~", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|",
    "=", "~", "<", ">",
];

pub(crate) const UNITS: &[(&str, &str)] = &[
    ("year", "years"),
    ("month", "months"),
    ("week", "weeks"),
    ("day", "days"),
    ("hour", "hours"),
    ("minute", "minutes"),
    ("second", "seconds"),
    ("millisecond", "milliseconds"),
];

pub(crate) fn is_calendar(word: &str) -> bool {
    UNITS
        .iter()
        .any(|(one, many)| *one == word || *many == word)
}

struct Parser<'t> {
    text: &'t str,
    pos: usize,
    /// Start of the token at hand.
    at: usize,
    token: Token,
    core: &'static Core,
    bounds: Bounds,
    depth: u32,
    nodes: Vec<Node>,
    links: Vec<(Op, Id)>,
}

pub(crate) fn compile(text: &str, core: &'static Core, bounds: Bounds) -> R<Program> {
    let mut p = Parser {
        text,
        pos: 0,
        at: 0,
        token: Token::End,
        core,
        bounds,
        depth: 0,
        nodes: Vec::new(),
        links: Vec::new(),
    };
    if text.len() > bounds.bytes {
        return Err(p.error(SyntaxErrorKind::Bounds));
    }
    p.next()?;
    let root = p.expression(0)?;
    if p.token != Token::End {
        return Err(p.error(SyntaxErrorKind::Unexpected));
    }
    let Parser {
        mut nodes,
        mut links,
        ..
    } = p;
    nodes.shrink_to_fit();
    links.shrink_to_fit();
    let mut program = Program {
        nodes,
        links,
        root,
        quick: None,
        text: text.into(),
    };
    program.quick = Quick::of(&program);
    Ok(program)
}

impl<'t> Parser<'t> {
    fn error(&self, kind: SyntaxErrorKind) -> SyntaxError {
        let kind = match (&self.token, kind) {
            (Token::End, SyntaxErrorKind::Unexpected) => SyntaxErrorKind::End,
            (_, kind) => kind,
        };
        SyntaxError { kind, at: self.at }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.pos..).unwrap_or_default()
    }

    fn space(&mut self) -> R<()> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{a0}', '\u{feff}']);
            self.pos += rest.len() - trimmed.len();
            let rest = self.rest();
            if rest.starts_with("//") {
                self.pos += rest.find(['\n', '\r']).unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at = self.pos;
                let Some(end) = rest.get(2..).and_then(|r| r.find("*/")) else {
                    return Err(self.error(SyntaxErrorKind::Unterminated));
                };
                self.pos += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> R<Token> {
        self.space()?;
        self.at = self.pos;
        let token = self.read()?;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn word(&mut self) -> String {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default().to_owned();
        self.pos += end;
        word
    }

    fn read(&mut self) -> R<Token> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        match first {
            'a'..='z' | 'A'..='Z' | '_' => Ok(Token::Name(self.word(), false)),
            '`' => Ok(Token::Name(self.quoted('`')?, true)),
            '\'' => Ok(Token::Text(self.quoted('\'')?)),
            // FHIR's older invariants quote strings with ".
            '"' => Ok(Token::Text(self.quoted('"')?)),
            '0'..='9' => self.number(),
            '@' => {
                let text = rest.get(1..).unwrap_or_default();
                let Some((value, used)) = Temporal::literal(text) else {
                    return Err(self.error(SyntaxErrorKind::Literal));
                };
                self.pos += used + 1;
                Ok(Token::Temporal(value))
            }
            '%' => {
                self.pos += 1;
                let name = match self.rest().chars().next() {
                    Some(q @ ('`' | '\'' | '"')) => self.quoted(q)?,
                    _ => self.word(),
                };
                if name.is_empty() {
                    return Err(self.error(SyntaxErrorKind::Unexpected));
                }
                Ok(Token::Variable(name))
            }
            '$' => {
                self.pos += 1;
                let word = self.word();
                match ["this", "index", "total"].iter().find(|w| **w == word) {
                    Some(known) => Ok(Token::Dollar(known)),
                    None => Err(self.error(SyntaxErrorKind::Unexpected)),
                }
            }
            _ => match SIGNS.iter().find(|s| rest.starts_with(**s)) {
                Some(sign) => {
                    self.pos += sign.len();
                    Ok(Token::Sign(sign))
                }
                None => Err(self.error(SyntaxErrorKind::Unexpected)),
            },
        }
    }

    fn number(&mut self) -> R<Token> {
        let rest = self.rest();
        let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
        let mut end = digits(rest);
        let mut whole = true;
        if let Some(part) = rest.get(end..).and_then(|r| r.strip_prefix('.')) {
            let more = digits(part);
            if more > 0 {
                whole = false;
                end += 1 + more;
            }
        }
        let value = rest.get(..end).and_then(Dec::parse);
        self.pos += end;
        match value {
            Some(value) => Ok(Token::Number(value, whole)),
            None => Err(self.error(SyntaxErrorKind::Literal)),
        }
    }

    fn quoted(&mut self, quote: char) -> R<String> {
        let mut out = String::new();
        let rest = self.text.get(self.pos + 1..).unwrap_or_default();
        let mut chars = rest.char_indices();
        while let Some((n, c)) = chars.next() {
            if c == quote {
                self.pos += n + 2;
                return Ok(out);
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next().map(|(_, c)| c) {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('f') => out.push('\u{c}'),
                Some(c @ ('\'' | '"' | '`' | '\\' | '/')) => out.push(c),
                Some('u') => {
                    let mut code = 0;
                    for _ in 0..4 {
                        let digit = chars.next().and_then(|(_, c)| c.to_digit(16));
                        let Some(digit) = digit else {
                            return Err(self.error(SyntaxErrorKind::Literal));
                        };
                        code = code * 16 + digit;
                    }
                    out.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
                }
                // Published expressions escape more than the grammar names (`\.`, `\s`): kept.
                Some(c) => {
                    out.push('\\');
                    out.push(c);
                }
                None => break,
            }
        }
        Err(self.error(SyntaxErrorKind::Unterminated))
    }

    fn add(&mut self, node: Node) -> R<Id> {
        let id =
            u32::try_from(self.nodes.len()).map_err(|_| self.error(SyntaxErrorKind::Bounds))?;
        self.nodes.push(node);
        Ok(id)
    }

    fn run(&mut self, list: Vec<(Op, Id)>) -> R<Run> {
        let small = |n: usize| u32::try_from(n);
        let (Ok(first), Ok(count)) = (small(self.links.len()), small(list.len())) else {
            return Err(self.error(SyntaxErrorKind::Bounds));
        };
        self.links.extend(list);
        Ok(Run { first, count })
    }

    /// The operator at hand with its rank; higher ranks bind tighter.
    fn operator(&self) -> Option<(Op, u8)> {
        Some(match &self.token {
            Token::Sign(sign) => match *sign {
                "*" => (Op::Mul, 9),
                "/" => (Op::Div, 9),
                "+" => (Op::Add, 8),
                "-" => (Op::Sub, 8),
                "&" => (Op::Concat, 8),
                "|" => (Op::Union, 6),
                "<=" => (Op::LessEq, 5),
                "<" => (Op::Less, 5),
                ">" => (Op::Greater, 5),
                ">=" => (Op::GreaterEq, 5),
                "=" => (Op::Eq, 4),
                "~" => (Op::Equiv, 4),
                "!=" => (Op::NotEq, 4),
                "!~" => (Op::NotEquiv, 4),
                _ => return None,
            },
            Token::Name(name, false) => match name.as_str() {
                "div" => (Op::IntDiv, 9),
                "mod" => (Op::Mod, 9),
                "in" => (Op::In, 3),
                "contains" => (Op::Contains, 3),
                "and" => (Op::And, 2),
                "or" => (Op::Or, 1),
                "xor" => (Op::Xor, 1),
                "implies" => (Op::Implies, 0),
                _ => return None,
            },
            _ => return None,
        })
    }

    fn deeper(&mut self) -> R<()> {
        self.depth += 1;
        if self.depth > self.bounds.depth {
            return Err(self.error(SyntaxErrorKind::Bounds));
        }
        Ok(())
    }

    /// Operators of this rank and above. Operators are collected in one pass, one list a rank.
    fn expression(&mut self, rank: u8) -> R<Id> {
        self.deeper()?;
        let made = self.ranked(rank)?;
        self.depth -= 1;
        Ok(made)
    }

    fn ranked(&mut self, rank: u8) -> R<Id> {
        if rank == 7 {
            return self.typed();
        }
        let tighter = |p: &mut Self| {
            if rank == 9 {
                p.signed()
            } else {
                p.ranked(rank + 1)
            }
        };
        let first = tighter(self)?;
        let mut list = vec![(Op::None, first)];
        while let Some((op, found)) = self.operator() {
            if found != rank {
                break;
            }
            self.next()?;
            list.push((op, tighter(self)?));
        }
        if list.len() == 1 {
            return Ok(first);
        }
        let run = self.run(list)?;
        self.add(Node::Chain(run))
    }

    /// `is` and `as`.
    fn typed(&mut self) -> R<Id> {
        let mut made = self.ranked(8)?;
        while let Token::Name(name, false) = &self.token {
            let is = match name.as_str() {
                "is" => true,
                "as" => false,
                _ => break,
            };
            // Each `is` nests what is before it.
            self.deeper()?;
            self.next()?;
            let at = self.at;
            let mut parts = vec![self.name()?];
            while self.token == Token::Sign(".") {
                self.next()?;
                parts.push(self.name()?);
            }
            let spec = self.type_spec(&parts, at, is)?;
            made = self.add(if is {
                Node::Is(made, spec)
            } else {
                Node::As(made, spec)
            })?;
        }
        Ok(made)
    }

    fn name(&mut self) -> R<String> {
        match self.next()? {
            Token::Name(name, _) => Ok(name),
            _ => Err(self.error(SyntaxErrorKind::Unexpected)),
        }
    }

    /// A type by its name. To ask whether something `is` of a type that R4 does not have is no error:
    /// invariants of guides for several releases do.
    fn type_spec(&self, parts: &[String], at: usize, asked: bool) -> R<TypeSpec> {
        let none = TypeSpec {
            system: None,
            fhir: None,
            any: false,
        };
        let system = |name: &str| {
            let found = SystemType::ALL.iter().find(|(n, _)| *n == name);
            TypeSpec {
                system: found.map(|(_, t)| *t),
                any: name == "Any",
                ..none
            }
        };
        let wrong = SyntaxError {
            kind: SyntaxErrorKind::Type,
            at,
        };
        match parts {
            [space, name] if space == "System" => Ok(system(name)),
            [space, name] if space == "FHIR" => match self.core.type_named(name) {
                Some(of) => Ok(TypeSpec {
                    fhir: Some(of),
                    ..none
                }),
                None => Err(wrong),
            },
            [name] => {
                let made = TypeSpec {
                    fhir: self.core.type_named(name),
                    ..system(name)
                };
                if made == none && !asked {
                    Err(wrong)
                } else {
                    Ok(made)
                }
            }
            _ => Err(wrong),
        }
    }

    fn signed(&mut self) -> R<Id> {
        let minus = match &self.token {
            Token::Sign("-") => true,
            Token::Sign("+") => false,
            _ => return self.path(),
        };
        self.deeper()?;
        self.next()?;
        let inner = self.signed()?;
        self.depth -= 1;
        self.add(if minus {
            Node::Minus(inner)
        } else {
            Node::Plus(inner)
        })
    }

    fn path(&mut self) -> R<Id> {
        let first = self.term()?;
        let mut list = vec![(Op::None, first)];
        loop {
            match &self.token {
                Token::Sign(".") => {
                    self.next()?;
                    let step = self.invocation(false)?;
                    list.push((Op::None, step));
                }
                Token::Sign("[") => {
                    self.next()?;
                    let index = self.expression(0)?;
                    self.sign("]")?;
                    let step = self.add(Node::Indexer(index))?;
                    list.push((Op::None, step));
                }
                _ => break,
            }
        }
        if list.len() == 1 {
            return Ok(first);
        }
        let run = self.run(list)?;
        self.add(Node::Path(run))
    }

    fn sign(&mut self, sign: &'static str) -> R<()> {
        if self.token != Token::Sign(sign) {
            return Err(self.error(SyntaxErrorKind::Unexpected));
        }
        self.next()?;
        Ok(())
    }

    fn term(&mut self) -> R<Id> {
        match &self.token {
            Token::Sign("(") => {
                self.next()?;
                let inner = self.expression(0)?;
                self.sign(")")?;
                Ok(inner)
            }
            Token::Sign("{") => {
                self.next()?;
                self.sign("}")?;
                self.add(Node::Empty)
            }
            Token::Name(word, false) if word == "true" || word == "false" => {
                let value = word == "true";
                self.next()?;
                self.add(Node::Bool(value))
            }
            Token::Name(..) | Token::Dollar(_) => self.invocation(true),
            _ => self.literal(),
        }
    }

    fn literal(&mut self) -> R<Id> {
        let at = self.at;
        match self.next()? {
            Token::Text(text) => self.add(Node::Str(text.into())),
            Token::Temporal(value) => self.add(Node::Temporal(value)),
            Token::Variable(name) => self.add(Node::Variable(name.into())),
            Token::Number(value, whole) => {
                let calendar = match &self.token {
                    Token::Text(_) => Some(false),
                    Token::Name(word, false) if is_calendar(word) => Some(true),
                    _ => None,
                };
                if let Some(calendar) = calendar
                    && let Token::Text(unit) | Token::Name(unit, _) = self.next()?
                {
                    return self.add(Node::Quantity(value, unit.into(), calendar));
                }
                if !whole {
                    return self.add(Node::Dec(value));
                }
                match value.truncate() {
                    Some(n) => self.add(Node::Int(n)),
                    None => Err(SyntaxError {
                        kind: SyntaxErrorKind::Literal,
                        at,
                    }),
                }
            }
            _ => Err(SyntaxError {
                at,
                ..self.error(SyntaxErrorKind::Unexpected)
            }),
        }
    }

    /// A name, a function or `$this`.
    fn invocation(&mut self, first: bool) -> R<Id> {
        let at = self.at;
        match self.next()? {
            Token::Dollar("this") => self.add(Node::This),
            Token::Dollar("index") => self.add(Node::Index),
            Token::Dollar(_) => self.add(Node::Total),
            Token::Name(name, quoted) => {
                if self.token == Token::Sign("(") && !quoted {
                    return self.call(&name, at);
                }
                self.add(Node::Member {
                    name: self.core.name(&name),
                    // Types of lower case are primitives, which no expression begins with.
                    start: if first && name.starts_with(|c: char| c.is_ascii_uppercase()) {
                        self.core.type_named(&name)
                    } else {
                        None
                    },
                    text: name.into(),
                })
            }
            _ => Err(SyntaxError {
                at,
                ..self.error(SyntaxErrorKind::Unexpected)
            }),
        }
    }

    fn call(&mut self, name: &str, at: usize) -> R<Id> {
        let wrong = |kind| SyntaxError { kind, at };
        let Some((_, function, least, most)) = FUNCTIONS.iter().find(|(n, ..)| *n == name) else {
            return Err(wrong(SyntaxErrorKind::Function));
        };
        self.next()?;
        if matches!(function, Function::Is | Function::As | Function::OfType) {
            let mut parts = vec![self.name()?];
            while self.token == Token::Sign(".") {
                self.next()?;
                parts.push(self.name()?);
            }
            let of = Some(self.type_spec(&parts, at, *function == Function::Is)?);
            self.sign(")")?;
            let arguments = self.run(Vec::new())?;
            return self.add(Node::Call {
                function: *function,
                arguments,
                of,
                pattern: None,
            });
        }
        let mut list = Vec::new();
        if self.token != Token::Sign(")") {
            loop {
                list.push((Op::None, self.expression(0)?));
                if self.token != Token::Sign(",") {
                    break;
                }
                self.next()?;
            }
        }
        self.sign(")")?;
        let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
        if count < *least || count > *most {
            return Err(wrong(SyntaxErrorKind::Arguments));
        }
        let literal = list
            .first()
            .and_then(|(_, id)| self.nodes.get(usize::try_from(*id).ok()?));
        let pattern = match (function, literal) {
            (
                Function::Matches | Function::MatchesFull | Function::ReplaceMatches,
                Some(Node::Str(text)),
            ) if count
                == if *function == Function::ReplaceMatches {
                    2
                } else {
                    1
                } =>
            {
                let full = *function == Function::MatchesFull;
                let made = regex(text, full, "", self.bounds.regex);
                Some(Pattern(made.ok_or(wrong(SyntaxErrorKind::Pattern))?))
            }
            _ => None,
        };
        let arguments = self.run(list)?;
        self.add(Node::Call {
            function: *function,
            arguments,
            of: None,
            pattern,
        })
    }
}

/// A regular expression of FHIRPath: single-line mode, so that `.` matches every character.
///
/// Matching takes time linear in pattern times text, whatever the pattern; its size is bounded.
pub(crate) fn regex(
    pattern: &str,
    full: bool,
    flags: &str,
    bound: usize,
) -> Option<regex_lite::Regex> {
    let whole;
    let mut text = pattern;
    if full {
        whole = format!("^(?:{pattern})$");
        text = &whole;
    }
    RegexBuilder::new(text)
        .dot_matches_new_line(true)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .size_limit(bound)
        .nest_limit(50)
        .build()
        .ok()
}
