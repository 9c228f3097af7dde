use super::*;
use crate::item::record::{Purpose, Verdict};
use crate::run::manifest::tests::sample as manifest;
use crate::run::sink::tests::sample as record;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use std::path::Path;

fn written(out: &Path, records: impl Iterator<Item = Record>) -> Vec<u8> {
    let folder = Folder::create(out).expect("has room");
    let mut export = Records::new(folder, "run-1".into(), manifest()).expect("can begin");
    records.for_each(|record| export.add(record).expect("can be written"));
    export.finish().expect("can be placed");
    std::fs::read(out.join("records.parquet")).expect("is there")
}

#[test]
fn every_record_is_a_row_and_the_bytes_depend_on_nothing_else() {
    let scratch = tempfile::tempdir().expect("can be made");
    let records = || (0..2500).map(|index| record(Purpose::Attack, 3, index, Verdict::ALL[index as usize % 3]));
    let bytes = written(&scratch.path().join("a"), records());
    assert_eq!(bytes, written(&scratch.path().join("b"), records()));
    let file = std::fs::File::open(scratch.path().join("a/records.parquet")).expect("is there");
    let reader = SerializedFileReader::new(file).expect("is Parquet");
    let schema = reader.metadata().file_metadata().schema_descr();
    let at = |name: &str| schema.columns().iter().position(|column| column.name() == name).expect(name);
    let mut rows = 0;
    for (index, row) in reader.get_row_iter(None).expect("has rows").enumerate() {
        let (row, verdict) = (row.expect("reads"), Verdict::ALL[index % 3]);
        let text = |name: &str| row.get_string(at(name)).cloned().unwrap_or_default();
        assert_eq!(
            (text("run"), text("model"), text("seed")),
            ("run-1".into(), "sim/novice".into(), u64::MAX.to_string())
        );
        assert_eq!((text("verdict"), text("item_id")), (verdict.name().into(), format!("r3-{index}")));
        assert_eq!((row.get_long(at("index")).ok(), row.get_long(at("fuel")).ok()), (Some(index as i64), Some(17)));
        assert_eq!(
            row.get_long(at("slots_right")).ok(),
            verdict.answered().then_some((verdict == Verdict::Correct).into())
        );
        assert_eq!(text("truth"), r#"{"stack_values":[{"type":"i32","value":"30"}]}"#);
        assert_eq!((text("recipe_seed"), text("recipe_actions")), ("0".into(), "01c801".into()));
        rows += 1;
    }
    assert_eq!(rows, 2500);
}
