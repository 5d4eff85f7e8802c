"""Callbacks for Lightning and the Hugging Face Trainer, whose packages are imported when one is made.

Accelerate needs none: ``theory.watch`` takes the optimizer before or after ``accelerator.prepare``.
"""

from typing import Any

from theory.monitor.watch import Watch, watch


def lightning_callback(**options: Any) -> Any:
    """A Lightning callback; its attribute ``watch`` is the :class:`~theory.monitor.watch.Watch` from the first step on.

    Args:
        options: the keyword arguments of :func:`theory.watch`.

    Returns:
        A ``lightning.Callback``.

    Raises:
        ModuleNotFoundError: lightning is not installed.
    """
    import lightning

    class WatchCallback(lightning.Callback):
        """Watches the first optimizer."""

        watch: Watch | None = None

        def on_fit_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - the signature is theirs
            """Attach; the loss comes from the closure that Lightning gives to step()."""
            if len(trainer.optimizers) != 1:
                raise ValueError(f"{len(trainer.optimizers)} optimizers: the callback watches one; use theory.watch")
            self.watch = watch(trainer.optimizers[0], **options)

        def on_fit_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - the signature is theirs
            """Remove the hooks."""
            if self.watch:
                self.watch.detach()

    return WatchCallback()


def trainer_callback(**options: Any) -> Any:
    """A callback for the Hugging Face Trainer; its attribute ``watch`` is the watch from the start of training on.

    The Trainer does not hand over the loss of each step: Theorem N's bound is not claimed.

    Args:
        options: the keyword arguments of :func:`theory.watch`.

    Returns:
        A ``transformers.TrainerCallback``.

    Raises:
        ModuleNotFoundError: transformers is not installed.
    """
    import transformers

    class WatchCallback(transformers.TrainerCallback):
        """Watches the trainer's optimizer."""

        watch: Watch | None = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the signature is theirs
            """Attach."""
            self.watch = watch(kwargs["optimizer"], **options)

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the signature is theirs
            """Remove the hooks."""
            if self.watch:
                self.watch.detach()

    return WatchCallback()
