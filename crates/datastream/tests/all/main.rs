//! Behaviour of the DataStream API through its public face.

mod async_io;
mod broadcast;
mod connected;
mod interval_join;
mod window_join;
