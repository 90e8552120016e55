//! The one table of what a row has. It feeds the columns of `ls`, `--sort`, `stat --by`, CSV headers and the help, so
//! that a new line in the table is a new column everywhere.

pub mod column;
mod define;
pub mod id;
mod judgement;
pub mod kernel;
pub mod layout;
pub mod sheet;
pub mod socket;
pub mod synonyms;
pub mod table;
pub mod value;
