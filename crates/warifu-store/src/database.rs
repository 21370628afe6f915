//! One connection to a database, and what goes in and comes out.

/// Why the database did not do as asked. No statement or value is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused or could not be reached; the text is the driver's, without values.
    #[error("the database: {0}")]
    Database(String),
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

/// One connection. Statements name their values `?1`, `?2` …; types are `BIGINT`, `TEXT` and `BYTES`.
pub trait Database: Send {
    /// Runs a statement; gives the number of rows it changed.
    fn run(&self, sql: &str, values: &[Cell]) -> Result<u64, StoreError>;
    /// Rows of a query.
    fn query(&self, sql: &str, values: &[Cell]) -> Result<Vec<Row>, StoreError>;
    /// Begins a transaction that writes: every other one waits.
    fn begin(&self) -> Result<(), StoreError>;
    /// Ends it; what was written survives a crash when this returned.
    fn commit(&self) -> Result<(), StoreError>;
    /// Undoes it.
    fn rollback(&self);
    /// Another connection to the same database.
    fn another(&self) -> Result<Box<dyn Database>, StoreError>;
    /// Copies the whole database, as it is at one instant, into a new file.
    fn backup(&self, to: &std::path::Path) -> Result<(), StoreError>;
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
