//! The protocol as data: exchanges that are replayed through both sides, the page that describes it, and any bytes at all.

mod controller;
mod document;
mod exchange;
mod replay;
mod streams;
