"""Watch in other libraries' training loops, and on a transformer."""

import logging
import warnings

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import theory
from theory.monitor.callbacks import lightning_callback, trainer_callback


def transformer():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        n_layer=1, n_head=2, n_embd=16, vocab_size=32, n_positions=16, bos_token_id=0, eos_token_id=0,
        attn_implementation="eager", resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config), torch.randint(0, 32, (8, 16))


def test_a_transformer_with_adamw():
    model, tokens = transformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    loss = lambda: model(tokens, labels=tokens).loss  # noqa: E731
    run = theory.watch(optimizer, every=2, variance=0.0, loss=loss, curvature_every=4)
    for _ in range(9):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        run.note_loss(value)
        optimizer.step()
    report = run.report()
    assert report.measured == 4
    assert report.threshold == pytest.approx(2 * 1.9 / 0.1)
    assert 0 < report.hessian_x < report.threshold
    assert "eta is within its limit" in report.not_claimed["Theorem N"]


def test_hugging_face_trainer(tmp_path):
    model, tokens = transformer()
    import transformers

    rows = [{"input_ids": row, "labels": row} for row in tokens]
    arguments = transformers.TrainingArguments(
        str(tmp_path), max_steps=4, report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True,
        logging_strategy="no", per_device_train_batch_size=2, gradient_accumulation_steps=2,
    )  # fmt: skip
    callback = trainer_callback(every=1)
    trainer = transformers.Trainer(model, arguments, train_dataset=rows, callbacks=[callback])
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    report = callback.watch.report()
    assert report.steps == 4
    assert report.variance > 0
    assert "rate is constant" in report.not_claimed["Theorem N"]


def test_lightning():
    lightning = pytest.importorskip("lightning")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = nn.Linear(4, 1)

        def training_step(self, batch):
            return (self.model(batch[0]) ** 2).mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.01)

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    callback = lightning_callback(every=1, variance=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, callbacks=[callback],
        )  # fmt: skip
        trainer.fit(Module(), DataLoader(TensorDataset(torch.ones(8, 4)), batch_size=2))
    report = callback.watch.report()
    assert report.steps == 4
    assert report.first_loss > 0
    assert report.age == 0


def test_accelerate():
    accelerate = pytest.importorskip("accelerate")
    model = nn.Linear(4, 1)
    accelerator = accelerate.Accelerator(cpu=True)
    model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.01))
    run = theory.watch(optimizer, every=1)
    for _ in range(3):
        optimizer.zero_grad()
        accelerator.backward((model(torch.ones(2, 4)) ** 2).mean())
        optimizer.step()
    assert run.report().steps == 3
