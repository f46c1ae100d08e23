//! The life of a function, written once: every trait of functions has these methods, from `open` to `close`.
//!
//! A macro and not a supertrait, for the sake of those who write functions: a function is one `impl` and says only what it
//! cares for. With a supertrait every one of them would need a second, mostly empty one, and closures could not be functions, since
//! nobody could implement it for all of them.

/// The methods of a function's life, with what they do unless the function says otherwise. With `shared` they take `&self` once the
/// function is open.
#[macro_export]
#[doc(hidden)]
macro_rules! life_cycle {
    () => {
        $crate::life_cycle!(open);

        /// A checkpoint or savepoint is taken: put into operator state what must be in it (`CheckpointedFunction` of Flink; what it
        /// calls `initializeState` is `open`).
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

        /// A checkpoint is complete and will be found again; earlier ones that were not told of are covered too
        /// (`CheckpointListener` of Flink).
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

        /// A checkpoint will not be complete. What it held is in the next one.
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

        /// After the last call, also when the task fails.
        fn close(&mut self) {}
    };
    (open) => {
        /// Before the first record: declare states here.
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

        /// After the last record of all bounded inputs, or when the job is drained.
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

        /// A checkpoint or savepoint is taken: put into operator state what must be in it (`CheckpointedFunction` of Flink; what it
        /// calls `initializeState` is `open`). Requests may be under way.
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

        /// A checkpoint is complete and will be found again; earlier ones that were not told of are covered too
        /// (`CheckpointListener` of Flink).
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

        /// A checkpoint will not be complete. What it held is in the next one.
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

        /// After the last call, also when the task fails. Futures that are under way are dropped soon after.
        fn close(&self) {}
    };
}

/// The life of a function that is another one with something around it: one in a field, or (`as`) itself as one of another kind.
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

/// What an operator passes on to the function in a field of its: what became of checkpoints, and the end.
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
