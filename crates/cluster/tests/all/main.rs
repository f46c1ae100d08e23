//! Jobs on a local cluster. One program, so that the tests of all files run side by side: they mostly wait.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test must not meet ends it")]

mod collected;
mod constraints;
mod damage;
mod faults;
mod global_commits;
mod hanging;
mod high_availability;
mod identity;
mod jobs;
mod random;
mod savepoints;
mod scaling;
mod stop;
mod support;
mod task_managers;
mod time;
mod unaligned;
mod watermark_alignment;
mod watermarks;
