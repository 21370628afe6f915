//! SQLite in a file: nothing to set up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql};

use crate::database::{Cell, Database, Failure, Row, StoreError, Taker};
use crate::private;

/// How long a transaction waits for another one.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to a file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    failure: Failure,
}

impl Sqlite {
    /// Opens the file, and makes it where it is not there. Its folder must be there.
    ///
    /// Every commit is synced to the disk before it returns (`synchronous=FULL`).
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // For the owner alone; the files beside it get what this one has. A file that is there is not
        // opened here: closing it would take away the locks of other connections.
        let kept = match private::create(path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => private::is_private(path)
                .and_then(|is| {
                    if is {
                        Ok(())
                    } else {
                        private::restrict(path, 0o600)
                    }
                }),
            made => made.map(|_| ()),
        };
        kept.map_err(|e| StoreError::Database(e.kind().to_string()))?;
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        for (name, value) in [
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("foreign_keys", "ON"),
            ("secure_delete", "ON"),
            ("trusted_schema", "OFF"),
        ] {
            connection
                .pragma_update(None, name, value)
                .map_err(failed)?;
        }
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self {
            connection,
            path: path.to_owned(),
            failure: Failure::default(),
        })
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(n) => ToSqlOutput::Owned(Value::Integer(*n)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// The driver's errors without statements and values.
fn failed(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::SqliteFailure(e, _) => match e.code {
            ErrorCode::ConstraintViolation => StoreError::Exists,
            ErrorCode::DiskFull => StoreError::Full,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
            code => StoreError::Database(format!("{code:?} ({})", e.extended_code)),
        },
        rusqlite::Error::SqlInputError { error, .. } => {
            StoreError::Database(format!("statement ({})", error.extended_code))
        }
        other => {
            let name = format!("{other:?}");
            let name = name.split(['(', '{', ' ']).next().unwrap_or_default();
            StoreError::Database(name.to_owned())
        }
    }
}

impl Sqlite {
    fn execute(&self, sql: &str, values: &[Cell]) -> Result<u64, StoreError> {
        let sql = sql.replace(" BYTES", " BLOB");
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        let changed = statement
            .execute(rusqlite::params_from_iter(values))
            .map_err(failed)?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn rows(&self, sql: &str, values: &[Cell], take: Taker<'_>) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let columns = statement.column_count();
        let mut rows = statement
            .query(rusqlite::params_from_iter(values))
            .map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let mut cells = Vec::with_capacity(columns);
            for column in 0..columns {
                cells.push(match row.get_ref(column).map_err(failed)? {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(n) => Cell::Int(n),
                    ValueRef::Text(text) => Cell::Text(
                        String::from_utf8(text.to_vec())
                            .map_err(|_| StoreError::Form("a column of text"))?,
                    ),
                    ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
                    ValueRef::Real(_) => return Err(StoreError::Form("a column of numbers")),
                });
            }
            take(Row(cells))?;
        }
        Ok(())
    }
}

impl Database for Sqlite {
    fn run(&self, sql: &str, values: &[Cell]) -> Result<u64, StoreError> {
        self.failure.of(self.execute(sql, values))
    }

    fn each(&self, sql: &str, values: &[Cell], take: Taker<'_>) -> Result<(), StoreError> {
        self.failure.of(self.rows(sql, values, take))
    }

    fn begin(&self) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE", &[])?;
        self.failure.taken();
        Ok(())
    }

    fn commit(&self) -> Result<(), StoreError> {
        if let Some(error) = self.failure.taken() {
            self.rollback();
            return Err(error);
        }
        self.execute("COMMIT", &[]).map(|_| ())
    }

    fn rollback(&self) {
        // A commit that failed has ended the transaction already.
        let _ = self.execute("ROLLBACK", &[]);
    }

    fn failure(&self) -> Option<StoreError> {
        self.failure.taken()
    }

    fn another(&self) -> Result<Box<dyn Database>, StoreError> {
        Ok(Box::new(Self::open(&self.path)?))
    }

    fn backup(&self, path: &Path) -> Result<(), StoreError> {
        let to = path
            .to_str()
            .ok_or(StoreError::Form("the name of the copy"))?;
        // An empty file is taken, and stays its owner's.
        let made = private::create(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::Exists,
            kind => StoreError::Database(kind.to_string()),
        })?;
        let copied = self.execute("VACUUM INTO ?1", &[to.into()]);
        let synced = |_| {
            let synced = made.sync_all();
            synced.map_err(|e| StoreError::Database(e.kind().to_string()))
        };
        let done = copied.and_then(synced);
        if done.is_err() {
            let _ = std::fs::remove_file(path);
        }
        done
    }
}
