//! Owns Parquet files: rows of typed cells in, row groups out, in memory that does not grow with the file.
//!
//! Must not know what the columns mean. The same rows give the same bytes: nothing of the clock or of this machine goes in.

use super::folder::{ExportError, OutFile};
use crate::ask::chat::Message;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float32Builder, Float64Builder, Int64Builder, ListBuilder, StringBuilder,
    StructBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;

/// Rows that are encoded at once.
const BATCH: usize = 1024;
/// Rows and bytes of a row group at most: readers skip and share out groups, and a group is what is kept in memory.
const GROUP_ROWS: usize = 64 * 1024;
const GROUP_BYTES: usize = 64 << 20;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Text,
    Int,
    Real,
    Single,
    Bool,
    Texts,
    /// Messages: a list of `{role, content}`.
    Turns,
}

/// One value; `None` is null.
#[derive(Debug)]
pub(super) enum Cell {
    Text(Option<String>),
    Int(Option<i64>),
    Real(Option<f64>),
    Single(Option<f32>),
    Bool(Option<bool>),
    Texts(Vec<String>),
    Turns(Vec<Message>),
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(Some(text.into()))
    }

    /// As JSON.
    pub(super) fn json(value: &impl serde::Serialize) -> Self {
        Self::Text(Some(serde_json::to_string(value).expect("plain data")))
    }

    /// A count. None comes near the end of `i64`.
    pub(super) fn count(count: impl TryInto<i64>) -> Self {
        Self::Int(count.try_into().ok())
    }
}

/// The cells of a column that are not encoded yet.
#[derive(Debug)]
enum Column {
    Text(StringBuilder),
    Int(Int64Builder),
    Real(Float64Builder),
    Single(Float32Builder),
    Bool(BooleanBuilder),
    Texts(ListBuilder<StringBuilder>),
    Turns(ListBuilder<StructBuilder>),
}

fn turn_fields() -> Fields {
    Fields::from(vec![Field::new("role", DataType::Utf8, false), Field::new("content", DataType::Utf8, false)])
}

impl ColumnKind {
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Single => DataType::Float32,
            Self::Bool => DataType::Boolean,
            Self::Texts => DataType::new_list(DataType::Utf8, true),
            Self::Turns => DataType::new_list(DataType::Struct(turn_fields()), true),
        }
    }

    fn column(self) -> Column {
        match self {
            Self::Text => Column::Text(StringBuilder::new()),
            Self::Int => Column::Int(Int64Builder::new()),
            Self::Real => Column::Real(Float64Builder::new()),
            Self::Single => Column::Single(Float32Builder::new()),
            Self::Bool => Column::Bool(BooleanBuilder::new()),
            Self::Texts => Column::Texts(ListBuilder::new(StringBuilder::new())),
            Self::Turns => Column::Turns(ListBuilder::new(StructBuilder::from_fields(turn_fields(), 0))),
        }
    }
}

impl Column {
    fn push(&mut self, cell: Cell) {
        match (self, cell) {
            (Self::Text(column), Cell::Text(value)) => column.append_option(value),
            (Self::Int(column), Cell::Int(value)) => column.append_option(value),
            (Self::Real(column), Cell::Real(value)) => column.append_option(value),
            (Self::Single(column), Cell::Single(value)) => column.append_option(value),
            (Self::Bool(column), Cell::Bool(value)) => column.append_option(value),
            (Self::Texts(column), Cell::Texts(values)) => column.append_value(values.into_iter().map(Some)),
            (Self::Turns(column), Cell::Turns(messages)) => {
                for Message { role, content } in messages {
                    let turn = column.values();
                    let role = serde_json::to_value(role).expect("plain data");
                    let mut text = |at, text: &str| {
                        turn.field_builder::<StringBuilder>(at).expect("both are text").append_value(text);
                    };
                    text(0, role.as_str().unwrap_or_default());
                    text(1, &content);
                    turn.append(true);
                }
                column.append(true);
            }
            (column, cell) => unreachable!("a column of other cells: {cell:?} in {column:?}"),
        }
    }

    fn array(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Int(column) => Arc::new(column.finish()),
            Self::Real(column) => Arc::new(column.finish()),
            Self::Single(column) => Arc::new(column.finish()),
            Self::Bool(column) => Arc::new(column.finish()),
            Self::Texts(column) => Arc::new(column.finish()),
            Self::Turns(column) => Arc::new(column.finish()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(column) => column.len(),
            Self::Int(column) => column.len(),
            Self::Real(column) => column.len(),
            Self::Single(column) => column.len(),
            Self::Bool(column) => column.len(),
            Self::Texts(column) => column.len(),
            Self::Turns(column) => column.len(),
        }
    }
}

/// A file in the making.
#[derive(Debug)]
pub(super) struct ParquetFile {
    path: PathBuf,
    writer: ArrowWriter<BufWriter<File>>,
    schema: Arc<Schema>,
    columns: Vec<Column>,
    rows: u64,
}

impl ParquetFile {
    /// Begins one with these columns.
    pub(super) fn new(file: OutFile, columns: &[(&str, ColumnKind)]) -> Result<Self, ExportError> {
        let OutFile { shown: path, file } = file;
        let field = |&(name, kind): &(&str, ColumnKind)| Field::new(name, kind.data_type(), true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("wasmweaver {}", env!("CARGO_PKG_VERSION")))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_max_row_group_bytes(Some(GROUP_BYTES))
            .build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties));
        let writer = writer.map_err(|source| ExportError::Table { path: path.clone(), source })?;
        let columns = columns.iter().map(|(_, kind)| kind.column()).collect();
        Ok(Self { path, writer, schema, columns, rows: 0 })
    }

    /// Adds a row: a cell for each column.
    pub(super) fn add(&mut self, row: Vec<Cell>) -> Result<(), ExportError> {
        assert_eq!(row.len(), self.columns.len(), "a cell for each column");
        self.columns.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell));
        self.rows += 1;
        if self.columns.first().is_some_and(|column| column.len() >= BATCH) { self.encode() } else { Ok(()) }
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    fn encode(&mut self) -> Result<(), ExportError> {
        let arrays = self.columns.iter_mut().map(Column::array).collect();
        let written = RecordBatch::try_new(self.schema.clone(), arrays)
            .map_err(ParquetError::from)
            .and_then(|batch| self.writer.write(&batch));
        written.map_err(|source| ExportError::Table { path: self.path.clone(), source })
    }

    /// Ends it.
    pub(super) fn finish(mut self) -> Result<(), ExportError> {
        self.encode()?;
        self.writer.close().map(drop).map_err(|source| ExportError::Table { path: self.path, source })
    }
}
