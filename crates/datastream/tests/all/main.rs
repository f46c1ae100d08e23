//! Behaviour of the DataStream API through its public face.

mod connected;
