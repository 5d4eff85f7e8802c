"""Accelerate, Lightning and Hugging Face's trainer: the run of a plain loop, and resumes that are the unbroken run."""

import logging
import warnings

import accelerate
import lightning
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset

from alto import ALTO, E, decay_groups
from tests.alto.zoo import equal

EPOCHS, BATCHES = 3, 4
OPTIMIZERS = {
    "ALTO": lambda model: ALTO(decay_groups(model), lr=0.05, slow_avg_dtype=torch.bfloat16),
    "E(AdamW)": lambda model: E(torch.optim.AdamW(model.parameters(), lr=0.05), beta1=0.9, start="corrected"),
    "AdamW": lambda model: torch.optim.AdamW(model.parameters(), lr=0.05),
}


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def batches():
    x = torch.randn(32, 4, generator=torch.Generator().manual_seed(1))
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8)


def scheduled(name, model):
    optimizer = OPTIMIZERS[name](model)
    return optimizer, OneCycleLR(optimizer, 0.05, total_steps=EPOCHS * BATCHES + 1)


def by_hand(name, folder):
    model = network()
    optimizer, scheduler = scheduled(name, model)
    for _ in range(EPOCHS):
        for x, y in batches():
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
            scheduler.step()
    return model.parameters()


def by_accelerate(name, folder):
    def begun():
        accelerator = accelerate.Accelerator(cpu=True)
        model = network()
        return accelerator, *accelerator.prepare(model, *scheduled(name, model), batches())

    def trained(accelerator, model, optimizer, scheduler, loader):
        for x, y in loader:
            optimizer.zero_grad()
            accelerator.backward(nn.functional.mse_loss(model(x), y))
            optimizer.step()
            scheduler.step()

    first = begun()
    trained(*first)
    first[0].save_state(folder)
    resumed = begun()
    resumed[0].load_state(folder)
    for _ in range(EPOCHS - 1):
        trained(*resumed)
    return resumed[1].parameters()


class Module(lightning.LightningModule):
    def __init__(self, name):
        super().__init__()
        self.model, self.name = network(), name

    def training_step(self, batch):
        x, y = batch
        return nn.functional.mse_loss(self.model(x), y)

    def configure_optimizers(self):
        optimizer, scheduler = scheduled(self.name, self.model)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def by_lightning(name, folder):
    def trained(epochs, checkpoint):
        module = Module(name)
        trainer = lightning.Trainer(
            max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(module, batches(), ckpt_path=checkpoint)
        return module, trainer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its advice on loader workers and on the missing logger
        trained(1, None)[1].save_checkpoint(folder / "half.ckpt")
        return trained(EPOCHS, folder / "half.ckpt")[0].parameters()


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("by", [by_accelerate, by_lightning])
def test_a_resumed_run_is_the_plain_loop(by, name, tmp_path):
    assert equal(by(name, tmp_path), by_hand(name, tmp_path))


def test_these_runs_tell_the_optimizers_apart(tmp_path):
    assert not equal(by_hand("E(AdamW)", tmp_path), by_hand("AdamW", tmp_path))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_hugging_faces_trainer_resumes_bit_for_bit(name, tmp_path):
    """With accumulation and a warm-up, from the checkpoint half-way."""
    transformers = pytest.importorskip("transformers")
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)  # the head that is tied, and so is not in the file
    rows = torch.randint(0, 32, (32, 8), generator=torch.Generator().manual_seed(1))
    arguments = transformers.TrainingArguments(
        str(tmp_path), max_steps=4, save_steps=2, report_to=[], use_cpu=True, disable_tqdm=True, logging_strategy="no",
        per_device_train_batch_size=4, gradient_accumulation_steps=2, warmup_steps=2,
    )  # fmt: skip

    def trained(checkpoint):
        torch.manual_seed(0)
        config = transformers.GPT2Config(
            n_layer=1, n_head=2, n_embd=8, vocab_size=32, n_positions=8, bos_token_id=0, eos_token_id=0
        )
        model = transformers.GPT2LMHeadModel(config)
        data = [{"input_ids": row, "labels": row} for row in rows]
        trainer = transformers.Trainer(model, arguments, train_dataset=data, optimizers=(OPTIMIZERS[name](model), None))
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train(resume_from_checkpoint=checkpoint)
        return list(model.parameters())

    assert equal(trained(None), trained(str(tmp_path / "checkpoint-2")))
