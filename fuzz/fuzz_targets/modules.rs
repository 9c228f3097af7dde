//! Feeds libFuzzer's bytes to the target `modules`, which stands with the tests.
#![no_main]

#[path = "../../tests/it/fuzzing/targets/mod.rs"]
mod targets;

// A panic is caught where the program at hand can be saved, and ends the process behind that.
libfuzzer_sys::fuzz_target!(init: drop(std::panic::take_hook()), |data: &[u8]| {
    targets::feed("modules", data);
});
