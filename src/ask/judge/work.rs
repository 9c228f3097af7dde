//! Owns counting how much of a reply the judge looks at, so that a test can hold that this is linear, which no clock could.
//!
//! Must not know what is looked for. Outside of tests nothing is counted.

#[cfg(test)]
std::thread_local! {
    static SEEN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts so many bytes as looked at.
#[inline]
pub(super) fn sees(bytes: usize) {
    #[cfg(test)]
    SEEN.set(SEEN.get() + bytes);
    #[cfg(not(test))]
    let _ = bytes;
}

/// What the work looked at, in bytes.
#[cfg(test)]
pub(super) fn seen_by(work: impl FnOnce()) -> usize {
    let before = SEEN.get();
    work();
    SEEN.get() - before
}
