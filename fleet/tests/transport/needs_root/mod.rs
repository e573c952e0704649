//! What starts an sshd.

mod host_key;
mod jump;
mod kept;
mod login;
mod loss;
mod spare;
mod streams;
