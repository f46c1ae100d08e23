//! The life cycle of a function, written once: every function trait has these methods, from `open` to
//! `close`.
//!
//! It is a macro and not a supertrait for the sake of those who write functions: a function is one `impl`
//! with only the methods it needs. With a supertrait, every function would need a second, mostly empty
//! `impl`, and closures could not be functions, because nobody could implement the supertrait for all of
//! them.

/// The methods of a function's life cycle, with their defaults. With `shared` they take `&self` once the
/// function is open.
#[macro_export]
#[doc(hidden)]
macro_rules! life_cycle {
    () => {
        $crate::life_cycle!(open);

        /// Called when a checkpoint or savepoint is taken: put into operator state what must be in it
        /// (`CheckpointedFunction` in Flink; its `initializeState` is `open`).
        ///
        /// # Errors
        /// An error fails the task.
        fn snapshot_state(
            &mut self,
            context: &mut $crate::snapshot::SnapshotContext<'_>,
        ) -> flott_types::Result<()> {
            let _ = context;
            Ok(())
        }

        /// Called when a checkpoint is complete; it also covers earlier ones without a notification
        /// (`CheckpointListener` in Flink).
        ///
        /// # Errors
        /// An error fails the task.
        fn notify_checkpoint_complete(
            &mut self,
            checkpoint: flott_types::CheckpointId,
        ) -> flott_types::Result<()> {
            let _ = checkpoint;
            Ok(())
        }

        /// Called when a checkpoint is aborted. Its contents are part of the next one.
        ///
        /// # Errors
        /// An error fails the task.
        fn notify_checkpoint_aborted(
            &mut self,
            checkpoint: flott_types::CheckpointId,
        ) -> flott_types::Result<()> {
            let _ = checkpoint;
            Ok(())
        }

        /// Called last, even if the task fails.
        fn close(&mut self) {}
    };
    (open) => {
        /// Called before the first record: declare states here.
        ///
        /// # Errors
        /// An error fails the task.
        fn open(
            &mut self,
            context: &mut $crate::runtime_context::RuntimeContext<'_>,
        ) -> flott_types::Result<()> {
            let _ = context;
            Ok(())
        }
    };
    (finish) => {
        $crate::life_cycle!();

        /// Called after the last record of all bounded inputs, or when the job is drained.
        ///
        /// # Errors
        /// An error fails the task.
        fn finish(
            &mut self,
            context: &mut $crate::process::ProcessContext<'_, Self::Out>,
        ) -> flott_types::Result<()> {
            let _ = context;
            Ok(())
        }
    };
    (shared) => {
        $crate::life_cycle!(open);

        /// Called when a checkpoint or savepoint is taken: put into operator state what must be in it
        /// (`CheckpointedFunction` in Flink; its `initializeState` is `open`). Requests may be in flight.
        ///
        /// # Errors
        /// An error fails the task.
        fn snapshot_state(
            &self,
            context: &mut $crate::snapshot::SnapshotContext<'_>,
        ) -> flott_types::Result<()> {
            let _ = context;
            Ok(())
        }

        /// Called when a checkpoint is complete; it also covers earlier ones without a notification
        /// (`CheckpointListener` in Flink).
        ///
        /// # Errors
        /// An error fails the task.
        fn notify_checkpoint_complete(
            &self,
            checkpoint: flott_types::CheckpointId,
        ) -> flott_types::Result<()> {
            let _ = checkpoint;
            Ok(())
        }

        /// Called when a checkpoint is aborted. Its contents are part of the next one.
        ///
        /// # Errors
        /// An error fails the task.
        fn notify_checkpoint_aborted(
            &self,
            checkpoint: flott_types::CheckpointId,
        ) -> flott_types::Result<()> {
            let _ = checkpoint;
            Ok(())
        }

        /// Called last, even if the task fails. Futures in flight are dropped soon after.
        fn close(&self) {}
    };
}

/// The life cycle of a function that wraps another: one in a field, or (`as`) itself as a function of another
/// kind.
#[macro_export]
#[doc(hidden)]
macro_rules! life_cycle_of {
    ($field:tt) => {
        fn open(
            &mut self,
            context: &mut $crate::runtime_context::RuntimeContext<'_>,
        ) -> flott_types::Result<()> {
            self.$field.open(context)
        }

        fn snapshot_state(
            &mut self,
            context: &mut $crate::snapshot::SnapshotContext<'_>,
        ) -> flott_types::Result<()> {
            self.$field.snapshot_state(context)
        }

        fn notify_checkpoint_complete(
            &mut self,
            checkpoint: flott_types::CheckpointId,
        ) -> flott_types::Result<()> {
            self.$field.notify_checkpoint_complete(checkpoint)
        }

        fn notify_checkpoint_aborted(
            &mut self,
            checkpoint: flott_types::CheckpointId,
        ) -> flott_types::Result<()> {
            self.$field.notify_checkpoint_aborted(checkpoint)
        }

        fn close(&mut self) {
            self.$field.close();
        }
    };
    (as $kind:ident) => {
        fn open(
            &mut self,
            context: &mut $crate::runtime_context::RuntimeContext<'_>,
        ) -> flott_types::Result<()> {
            $kind::open(self, context)
        }

        fn snapshot_state(
            &mut self,
            context: &mut $crate::snapshot::SnapshotContext<'_>,
        ) -> flott_types::Result<()> {
            $kind::snapshot_state(self, context)
        }

        fn notify_checkpoint_complete(
            &mut self,
            checkpoint: flott_types::CheckpointId,
        ) -> flott_types::Result<()> {
            $kind::notify_checkpoint_complete(self, checkpoint)
        }

        fn notify_checkpoint_aborted(
            &mut self,
            checkpoint: flott_types::CheckpointId,
        ) -> flott_types::Result<()> {
            $kind::notify_checkpoint_aborted(self, checkpoint)
        }

        fn close(&mut self) {
            $kind::close(self);
        }
    };
}

/// What an operator passes on to the function in one of its fields: checkpoint notifications, and the end.
#[macro_export]
#[doc(hidden)]
macro_rules! operator_life {
    ($field:tt) => {
        fn checkpoint_complete(&mut self, checkpoint: flott_types::CheckpointId) -> flott_types::Result<()> {
            self.$field.notify_checkpoint_complete(checkpoint)
        }

        fn checkpoint_aborted(&mut self, checkpoint: flott_types::CheckpointId) -> flott_types::Result<()> {
            self.$field.notify_checkpoint_aborted(checkpoint)
        }

        fn close(&mut self) {
            self.$field.close();
        }
    };
}
