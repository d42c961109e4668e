//! What is known: runbooks and past incidents, and how the ones that fit are found.

pub mod collection;
pub mod document;
pub mod index;
pub mod lexical;
pub mod page;
pub mod search;
