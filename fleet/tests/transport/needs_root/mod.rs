//! What starts an sshd.

mod host_key;
mod jump;
mod login;
mod loss;
mod streams;
