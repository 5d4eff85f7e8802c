"""The BiLSTM tagger of the paper's Tables 20 and 21."""

from typing import cast

import torch
from torch import Tensor, nn

from experiments.data.dataset import PADDING

_ALIKE = 8  # sentences of one length, on average, from which groups are faster than one packed sequence


class BiLSTM(nn.Module):
    """Word embedding, a bidirectional LSTM, and a linear layer to the tags.

    Padded positions stand at the end of a sentence, and the backward direction would start in them. So sentences are
    read without padding: as a packed sequence, or, on a CPU with many sentences of one length, length by length. A CPU
    has a kernel for a whole LSTM only without packing; sorted sentences take half the time. Padding's logits are 0.

    Args:
        vocabulary: Number of words, with `PADDING` among them.
        classes: Number of tags.
        embedding: Channels of a word. Default: 100, the paper's.
        hidden: Channels of each direction. Default: 128, the paper's.
        layers: Default: 2, the paper's.
        dropout: After the embedding, between the layers and before the tags. Default: 0.5, the paper's.
    """

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        embedding: int = 100,
        hidden: int = 128,
        layers: int = 2,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.words = nn.Embedding(vocabulary, embedding, padding_idx=PADDING)
        between = dropout if layers > 1 else 0.0
        self.lstm = nn.LSTM(embedding, hidden, layers, batch_first=True, dropout=between, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, words: Tensor) -> Tensor:
        """(n, length) int64 -> (n, length, classes) logits; every sentence has at least one word."""
        lengths = (words != PADDING).sum(dim=1).cpu()
        groups = [(n, (lengths == n).nonzero()[:, 0]) for n in lengths.unique().tolist()]
        if words.device.type != "cpu" or len(words) < _ALIKE * len(groups):
            return self._packed(words, lengths)
        logits = torch.zeros(*words.shape, self.head.out_features)
        for length, rows in groups:
            logits[rows, :length] = self._tags(words[rows, :length]).float()
        return logits

    def _tags(self, words: Tensor) -> Tensor:
        """The logits of sentences that all have the same length."""
        hidden, _ = self.lstm(self.dropout(self.words(words)))
        return cast("Tensor", self.head(self.dropout(hidden)))

    def _packed(self, words: Tensor, lengths: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        # All layers see the words alone: full batches of CoNLL-2003 are seven eighths padding.
        hidden, _ = self.lstm(packed._replace(data=self.dropout(self.words(packed.data))))
        logits = hidden._replace(data=self.head(self.dropout(hidden.data)))
        return nn.utils.rnn.pad_packed_sequence(logits, batch_first=True, total_length=words.shape[1])[0]
