//! Owns the description of the binary format above instructions (spec 5.5): sections, and the forms they are made of.
//!
//! Must not know instructions.

use serde::Serialize;

/// The binary format of a module.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Format {
    /// How a module begins.
    pub header: &'static [Form],
    /// What every section begins with.
    pub section: &'static [Form],
    /// The sections, in the order in which they must stand.
    pub sections: &'static [Section],
    /// What they are made of.
    pub forms: &'static [Form],
    /// Sections without a meaning for execution that are known by their names.
    pub custom: &'static [Form],
}

/// A section.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Section {
    /// The byte that it begins with.
    pub id: u8,
    /// Its name.
    pub name: &'static str,
    /// Its content, behind id and length.
    pub content: &'static str,
    /// What to know about it.
    pub about: &'static str,
}

/// Something that sections are made of.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// Its ways to be written, one of which is there.
    pub forms: &'static [&'static str],
    /// What to know about it.
    pub about: &'static str,
}

const fn form(name: &'static str, forms: &'static [&'static str], about: &'static str) -> Form {
    Form { name, forms, about }
}

const fn section(id: u8, name: &'static str, content: &'static str, about: &'static str) -> Section {
    Section { id, name, content, about }
}

/// WebAssembly 2.0.
pub const FORMAT: Format = Format {
    header: &[
        form("magic", &["0x00 0x61 0x73 0x6d"], "`\\0asm`"),
        form("version", &["0x01 0x00 0x00 0x00"], "1, little-endian"),
    ],
    section: &[
        form("id", &["byte"], "which section it is"),
        form("length", &["u32"], "bytes of the content that follows"),
    ],
    sections: &[
        section(1, "type", "vec(functype)", "function types; equal ones may stand twice"),
        section(2, "import", "vec(import)", "what comes from outside; it comes first in each index space"),
        section(3, "function", "vec(u32)", "the type of each function that the code section defines, as an index"),
        section(4, "table", "vec(tabletype)", "tables, all elements null at the start"),
        section(
            5,
            "memory",
            "vec(limits)",
            "at most one memory in all, imported or not; sizes in pages of 65536 bytes",
        ),
        section(6, "global", "vec(global)", "globals with their initial values"),
        section(7, "export", "vec(export)", "what is seen from outside; no name twice"),
        section(8, "start", "u32", "the function that runs when the module is instantiated: [] -> []"),
        section(9, "element", "vec(elem)", "segments of references for tables"),
        section(12, "data count", "u32", "how many data segments there are; must be there if code names one"),
        section(10, "code", "vec(code)", "as many as the function section has types"),
        section(11, "data", "vec(data)", "segments of bytes for the memory"),
        section(0, "custom", "name byte*", "of any content; may stand anywhere, any number of times"),
    ],
    forms: &[
        form(
            "u32",
            &["LEB128"],
            "7 bits a byte, low bits first, bit 7 set in all bytes but the last; at most 5 bytes, zeros may be padded",
        ),
        form(
            "s32 s33 s64",
            &["LEB128"],
            "the same in two's complement, bit 6 of the last byte is the sign; at most 5, 5 and 10 bytes",
        ),
        form("vec(x)", &["n:u32 x{n}"], "a count, and so many"),
        form("name", &["vec(byte)"], "UTF-8"),
        form("valtype", &["0x7f i32", "0x7e i64", "0x7d f32", "0x7c f64", "0x7b v128", "reftype"], ""),
        form("reftype", &["0x70 funcref", "0x6f externref"], ""),
        form("functype", &["0x60 params:vec(valtype) results:vec(valtype)"], ""),
        form(
            "limits",
            &["0x00 min:u32", "0x01 min:u32 max:u32"],
            "without a maximum it may grow as far as there is room",
        ),
        form("tabletype", &["reftype limits"], "in elements"),
        form("globaltype", &["valtype 0x00", "valtype 0x01"], "0x01 if it is mutable"),
        form("global", &["globaltype expr"], ""),
        form(
            "expr",
            &["instruction* 0x0b"],
            "where a constant is due: one constant instruction, ref.null, ref.func, or global.get of an imported immutable global",
        ),
        form(
            "import",
            &["module:name name:name 0x00 type:u32", "... 0x01 tabletype", "... 0x02 limits", "... 0x03 globaltype"],
            "a function, a table, the memory, a global",
        ),
        form(
            "export",
            &["name 0x00 u32", "name 0x01 u32", "name 0x02 u32", "name 0x03 u32"],
            "a function, a table, the memory, a global, by index",
        ),
        form(
            "elem",
            &[
                "0x00 offset:expr vec(func:u32)",
                "0x01 0x00 vec(func:u32)",
                "0x02 table:u32 offset:expr 0x00 vec(func:u32)",
                "0x03 0x00 vec(func:u32)",
                "0x04 offset:expr vec(expr)",
                "0x05 reftype vec(expr)",
                "0x06 table:u32 offset:expr reftype vec(expr)",
                "0x07 reftype vec(expr)",
            ],
            "0, 2, 4, 6 are active: copied to the table (0 where none is named) at the start; 1, 5 are passive, for table.init; 3, 7 declare functions for ref.func",
        ),
        form("code", &["size:u32 vec(locals) expr"], "the size is that of locals and code in bytes"),
        form("locals", &["n:u32 valtype"], "so many locals of one type; parameters are not among them"),
        form(
            "data",
            &["0x00 offset:expr vec(byte)", "0x01 vec(byte)", "0x02 memory:u32 offset:expr vec(byte)"],
            "0 and 2 are active: copied to the memory at the start; 1 is passive, for memory.init",
        ),
    ],
    custom: &[
        form("name", &["id:byte length:u32 content"], "names for people, in subsections of rising id (spec 7.4.1)"),
        form("name 0", &["name"], "of the module"),
        form("name 1", &["vec(index:u32 name)"], "of functions, by rising index"),
        form("name 2", &["vec(func:u32 vec(index:u32 name))"], "of locals, by function"),
        form(
            "others",
            &["byte*"],
            "such as `producers`, `target_features`, `.debug_*`, `sourceMappingURL`: kept by tools, skipped here",
        ),
    ],
};
