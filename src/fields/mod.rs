//! Table of the columns of a row. It feeds the columns of `ls`, `--sort`, `stat --by`, CSV headers and the help, so
//! that a new line in the table is a new column everywhere.

pub(crate) mod column;
mod define;
pub(crate) mod id;
mod judgement;
pub(crate) mod kernel;
pub(crate) mod layout;
pub(crate) mod sheet;
pub(crate) mod socket;
pub(crate) mod synonyms;
pub(crate) mod table;
pub(crate) mod tone;
pub(crate) mod value;
