# Targets set up .venv by themselves: once, and again only when what they install changes. `make verify` needs less than
# the others, so it installs less.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CORE   := $(VENV)/.core
READY  := $(VENV)/.ready
TORCH  := $(shell sed -n 's/^torch==//p' constraints.txt)
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet
NAME   ?= digits
TIER   ?= laptop

.DEFAULT_GOAL := help
.PHONY: help verify test lint types format rates formal worst-case figures train bench soak paper docs reproduce clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

verify: $(CORE)  ## check every claim, train ALTO, LAMB and AdamW on real digits, print what was found (3 minutes)
	$(BIN)/python -m theory verify
	$(BIN)/python -m experiments repeat digits

test: $(READY)  ## run all tests and doctests
	$(BIN)/python -m pytest -n 2 --durations=10

lint: $(READY)  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## static types
	$(BIN)/pyright

format: $(READY)  ## apply the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

rates: $(READY)  ## convergence rates beside their predictions, quick (FULL=--full: long runs, resumes)
	$(BIN)/python -m theory rates $(FULL)

formal: $(READY)  ## compile the kernel-checked proofs (needs Debian's coq) and compare with the stored answer
	$(BIN)/python -m theory formal --check

worst-case: $(READY)  ## worst cases by performance estimation, and their exact certificates
	$(BIN)/python -m theory worst-case

figures: $(READY)  ## the theory's figures from the stored studies (FRESH=--fresh: compute the studies first)
	$(BIN)/python -m theory figures $(FRESH)

train: $(READY)  ## one experiment: make train NAME=digits TIER=laptop
	$(BIN)/python -m experiments run $(NAME) --tier $(TIER)

bench: $(READY)  ## time and memory of a step beside every peer, into results/bench
	$(BIN)/python -m experiments bench step --out results/bench
	$(BIN)/python -m experiments bench memory --out results/bench
	$(BIN)/python -m experiments bench scaling --out results/bench
	$(BIN)/python -m experiments bench host --out results/bench

soak: $(READY)  ## faults in a row: 100 kills at random moments, full disks, flipped bits; compared bit for bit; resumes (SOAK=--help)
	$(BIN)/python -m tests.soak --keep runs/soak $(SOAK)

paper: $(READY)  ## the PDF, paper/build/main.pdf; every number in it comes from results/
	@command -v latexmk >/dev/null && command -v pdflatex >/dev/null && command -v bibtex >/dev/null || { \
	  echo "latexmk, pdflatex or bibtex is missing. On Debian: apt-get install latexmk texlive-latex-extra" \
	       "texlive-science texlive-fonts-recommended lmodern cm-super" >&2; exit 1; }
	$(BIN)/python -m theory ledger --tex
	cd paper && latexmk main.tex
	@! grep -n "^Overfull" paper/build/main.log || { echo "a box is overfull by more than 2pt" >&2; exit 1; }
	tar -czf paper/build/arxiv.tar.gz -C paper main.tex preamble.tex sections generated refs.bib \
	  -C build main.bbl -C ../../results --exclude="figures/*.png" --exclude="*.md" figures \
	  $$(sed -n 's/^.resultpicture{\([^}]*\)}.*/\1.png/p' paper/sections/*.tex)

docs: $(READY)  ## the site, docs/_build/html: blocks run, links checked, pages opened in a browser where there is one
	rm -rf docs/_build docs/generated docs/pictures
	$(BIN)/python -m sphinx -W --keep-going -q -j 2 docs docs/_build/html
	$(BIN)/python -m pytest tests/docs

reproduce: $(READY)  ## every result from scratch, in order, and the paper; prints how long first, resumes (hours)
	$(BIN)/python paper/reproduce.py

clean:  ## remove what the other targets made (not runs/)
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis docs/_build docs/generated docs/pictures paper/build paper/generated

# Without an NVIDIA GPU the CPU build of torch is enough, and the default one on Linux would pull gigabytes of CUDA: take
# the CPU build from the configured indexes, else from PyTorch's own, else (macOS, offline mirrors) whatever there is.
$(CORE): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what verify needs into $(VENV) (some minutes, about 3 GB)"
	if command -v nvidia-smi >/dev/null; then $(PIP) "torch==$(TORCH)"; \
	else $(PIP) "torch==$(TORCH)+cpu" 2>/dev/null \
	  || $(PIP) "torch==$(TORCH)+cpu" --index-url https://download.pytorch.org/whl/cpu --retries 1 2>/dev/null \
	  || $(PIP) "torch==$(TORCH)"; fi
	$(PIP) -c constraints.txt -e ".[theory,experiments,fused]"
	touch $@

$(READY): $(CORE)
	@echo "installing what tests, paper and site need into $(VENV) (some minutes, about 3 GB)"
	$(PIP) -c constraints.txt -e ".[theory,experiments,nlp,rl,fused,docs,dev]"
	touch $@
