# make chat: install everything, build the index if anything changed, serve the page.  make test: every test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export HF_HUB_OFFLINE := 1
export GRADIO_ANALYTICS_ENABLED := False

.PHONY: install model index chat browser test coverage check eval bench clean

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

model: install
	$(BIN)/python -m index model

index: model
	$(BIN)/python -m index build

chat: index
	YIBAO_FEEDBACK=$${YIBAO_FEEDBACK-feedback.db} $(BIN)/python app.py $(ARGS)

# The browser tests need a Chromium and a Chinese font; Debian's packages have both.
browser:
	@sh tests/browser/install.sh

test: model browser
	$(BIN)/python -m pytest -n 2 $(ARGS)

# The same with the share of lines that the tests reach; counting them takes twice as long.
coverage: model browser
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term-missing:skip-covered $(ARGS)

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

eval: index
	$(BIN)/python -m eval answers --questions eval/questions/seeds-dev.jsonl --out eval/out/answers

bench: index
	$(BIN)/python -m eval bench

clean:
	rm -rf $(VENV) index/data index/model eval/out
