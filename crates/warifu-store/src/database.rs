//! One connection to a database, and what goes in and comes out.

use std::cell::RefCell;

/// Why the database did not do as asked. No statement or value is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused; the text is the driver's, without values.
    #[error("the database: {0}")]
    Database(String),
    /// It cannot be reached.
    #[error("the database cannot be reached")]
    Down,
    /// The connection was lost while a transaction was committed: all of it was written, or nothing.
    #[error("the connection to the database was lost during a commit")]
    Unsure,
    /// The address of a database is none.
    #[error("the address of the database: {0}")]
    Address(String),
    /// A row or a file that must be new was there.
    #[error("what must be new is there already")]
    Exists,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// Somebody else held the database for too long.
    #[error("the database is busy")]
    Busy,
    /// What was read is not what was written.
    #[error("what is kept in {0} cannot be read")]
    Form(&'static str),
    /// A newer program made the schema.
    #[error("the database has schema {found}, this program knows {known}")]
    Schema {
        /// Version in the database.
        found: u64,
        /// Newest version that is known.
        known: u64,
    },
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// An integer; ours are never negative and below 2⁵³.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl From<u64> for Cell {
    fn from(n: u64) -> Self {
        Self::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Cell {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&[u8]> for Cell {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Int(i64::from(flag))
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row of an answer; columns count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Cell>);

impl Row {
    /// An integer; absent for anything else.
    pub fn int(&self, column: usize) -> Option<u64> {
        match self.0.get(column)? {
            Cell::Int(n) => u64::try_from(*n).ok(),
            _ => None,
        }
    }

    /// A text; absent for anything else.
    pub fn text(&self, column: usize) -> Option<&str> {
        match self.0.get(column)? {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Bytes; absent for anything else.
    pub fn bytes(&self, column: usize) -> Option<&[u8]> {
        match self.0.get(column)? {
            Cell::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// What a row is handed to.
pub type Taker<'t> = &'t mut dyn FnMut(Row) -> Result<(), StoreError>;

/// One connection. Statements name their values `?1`, `?2` …; types are `BIGINT`, `TEXT` and `BYTES`.
/// Texts are compared and sorted by their bytes, and have no U+0000.
pub trait Database: Send {
    /// Runs a statement; gives the number of rows it changed.
    fn run(&self, sql: &str, values: &[Cell]) -> Result<u64, StoreError>;
    /// Hands over the rows of a query one by one; the one who takes them may not ask the same connection.
    fn each(&self, sql: &str, values: &[Cell], take: Taker<'_>) -> Result<(), StoreError>;
    /// Rows of a query.
    fn query(&self, sql: &str, values: &[Cell]) -> Result<Vec<Row>, StoreError> {
        let mut all = Vec::new();
        self.each(sql, values, &mut |row| {
            all.push(row);
            Ok(())
        })?;
        Ok(all)
    }
    /// Begins a transaction that writes: every other one waits, whichever connection or process has it, and
    /// sees what was committed before it.
    fn begin(&self) -> Result<(), StoreError>;
    /// Ends it; what was written survives a crash when this returned. A transaction in which a statement
    /// failed is undone, and its error given.
    fn commit(&self) -> Result<(), StoreError>;
    /// Undoes it.
    fn rollback(&self);
    /// The first error of a statement since the transaction began, or since this was asked.
    fn failure(&self) -> Option<StoreError>;
    /// Another connection to the same database.
    fn another(&self) -> Result<Box<dyn Database>, StoreError>;
    /// Copies the whole database, as it is at one instant, into a new file.
    fn backup(&self, to: &std::path::Path) -> Result<(), StoreError>;
}

/// Remembers the first error.
#[derive(Debug, Default)]
pub(crate) struct Failure(RefCell<Option<StoreError>>);

impl Failure {
    pub(crate) fn of<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            self.0.borrow_mut().get_or_insert_with(|| error.clone());
        }
        result
    }

    pub(crate) fn taken(&self) -> Option<StoreError> {
        self.0.borrow_mut().take()
    }
}

/// Runs a part inside one transaction that writes; an error undoes it.
pub fn write<T, E: From<StoreError>>(
    db: &dyn Database,
    part: impl FnOnce(&dyn Database) -> Result<T, E>,
) -> Result<T, E> {
    db.begin()?;
    match part(db) {
        Ok(done) => match db.commit() {
            Ok(()) => Ok(done),
            Err(e) => {
                db.rollback();
                Err(e.into())
            }
        },
        Err(e) => {
            db.rollback();
            Err(e)
        }
    }
}
