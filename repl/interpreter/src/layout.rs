//! Sizes, alignments, fields and niches, as rustc chooses them.
