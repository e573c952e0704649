//! Canaries: secrets of every sort are planted, everything is done that can be done with a host, and what was written, said or shown
//! to other processes meanwhile is searched for them in many spellings.

mod aviary;
mod runs;
mod spelling;
mod watch;
