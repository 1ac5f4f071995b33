# Everything that can be made. The first two set up what they need on a fresh Debian 12, apt included.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
RUN := .run
VENV := .venv
BIN := $(VENV)/bin
JSON ?=
OUT ?= out/screens
CASES ?=
ROUNDS ?=
OPTIONS ?=
MINUTES ?= 30
CALLS ?= 200
CYCLES ?= 1000
CUTS ?= 100
SCENES ?=
IMAGE ?= build/halsorum-vm.img
UNITS ?=
BOARD ?= vm
IMAGES ?= build
# The unit tests run in three processes at once, cut where the imports differ: each loads only what it tests, and
# one works while another waits for a clock. What no other part names is in the last: nothing is forgotten.
PYTEST = $(BIN)/python -m pytest -p no:cacheprovider
PYTEST_UNIT = $(PYTEST) -m "not end_to_end"
# A part that does not end is ended, with what each thread was at; five failures of one have one cause.
PYTEST_WHOLE = timeout --foreground --signal=ABRT --kill-after=30 2400 $(PYTEST) -m "end_to_end and not long" --maxfail=5
# End to end in three parts at once: pages and parts around servers in memory; the fleet; and visits in whole
# systems. The last two mostly wait.
PAGES := $(patsubst %,tests/end_to_end/test_%.py,bad_messages clinic_meeting_page \
  clinic_page_scripts clinic_pages clinic_parties \
  encoder_falls keyboard_journey media_transport fleet_pages meeting_media oidc seats staff_pages touchscreen_hands \
  touchscreen_page scan kiosk)
FLEET := $(patsubst %,tests/end_to_end/test_%.py,broker_access commands configuration contract_checks diagnostics \
  devices_at_open enrolment enrolment_unit fleet fleet_region lease link_transports migration_postgresql \
  network_configuration revocation two_regions unit_identity)
# What belongs to one folder and still wants the real thing, such as PipeWire, lies in that folder.
REAL := $(wildcard tests/*/test_*_for_real.py tests/*/*/test_*_for_real.py)
PARTS := end-to-end-system end-to-end-fleet end-to-end-pages
UNIT_PARTS := unit-agent unit-media unit-rest
PACKAGES_RUN := mosquitto espeak-ng libsystemd-dev pkg-config gcc python3-dev python3-venv libgl1 libglib2.0-0
PACKAGES_TEST := $(PACKAGES_RUN) postgresql iproute2 nftables coturn chromium fonts-dejavu-core ffmpeg procps
PACKAGES_TEST += pipewire pipewire-bin pipewire-pulse libspa-0.2-modules wireplumber rauc squashfs-tools
PACKAGES_TEST += qemu-utils e2fsprogs cage
# The laboratory boots the image with these; no KVM is asked for.
PACKAGES_LAB := $(PACKAGES_TEST) qemu-system-x86 ovmf
# The OpenID provider that sign-in is tested against; any npm with its Node.js will do.
PACKAGES_TEST += $(if $(shell command -v npm),,nodejs npm)
# What builds an image (make image); pi4 and pi5 also need qemu-user-static and the kernel's binfmt_misc.
PACKAGES_IMAGE := mmdebstrap debian-archive-keyring e2fsprogs dosfstools mtools fdisk tar zstd systemd gcc $(if $(filter pi%,$(BOARD)),gcc-aarch64-linux-gnu qemu-user-static binfmt-support,grub-common grub-efi-amd64-bin)

export PYTHONUNBUFFERED := 1
# Without kept bytecode every start compiles anew, which doubles the time of the unit tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run new-unit demo screens test test-long unit unit-postgresql lint format bench
.PHONY: bench-selftest bench-net bench-people bench-fleet bench-echo bench-idle recovery soak torture vm-test vm-cuts lock clean distclean
.PHONY: packages-run packages-test $(UNIT_PARTS) $(PARTS) image image-twice bundle packages-image packages-lab

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r n t; do printf '  make %-12s %s\n' "$$n" "$$t"; done

run: packages-run $(VENV)/ready ## Broker, region, unit and its touchscreen on this machine; Ctrl-C stops all
	@exec $(BIN)/python -m provisioning.local --state $(RUN) $(OPTIONS)

new-unit: $(VENV)/ready ## Beside make run: another unit that nobody has let in yet (OPTIONS="--serial hs-3 --screen-port 8402")
	@exec $(BIN)/python -m provisioning.local_new_unit --state $(RUN) $(OPTIONS)

demo: packages-test $(VENV)/ready ## Play a whole visit of three parties in real browsers and print a report (JSON=file)
	@$(BIN)/python -m tests.demo $(if $(JSON),--json $(JSON))

screens: packages-test $(VENV)/ready ## A picture of every page in every language and an index of them (OUT=folder)
	@$(BIN)/python -m tests.screens --out $(OUT)

test: packages-test unit ## Unit tests, then end-to-end tests with real broker and browsers
	@$(MAKE) --no-print-directory --keep-going --jobs=3 --output-sync=target $(PARTS)

end-to-end-pages:
	@$(PYTEST_WHOLE) $(PAGES)
end-to-end-fleet:
	@$(PYTEST_WHOLE) $(FLEET) $(REAL)
end-to-end-system:
	@$(PYTEST_WHOLE) tests/end_to_end $(addprefix --ignore ,$(PAGES) $(FLEET))

test-long: packages-test $(VENV)/ready ## The rest: every page by axe-core and measure, many parties, hostile ones, lost lines
	@$(BIN)/python -m pytest -m long

unit: $(VENV)/ready ## Unit tests alone, some seconds
	@$(MAKE) --no-print-directory --keep-going --jobs=3 --output-sync=target $(UNIT_PARTS)

unit-postgresql: packages-test $(VENV)/ready ## The region's unit tests against a PostgreSQL of their own instead of SQLite
	@HALSORUM_TESTS_DATABASE=postgresql $(PYTEST_UNIT) tests/provisioning

unit-agent:
	@$(PYTEST_UNIT) tests/agent tests/firmware tests/systemd --ignore-glob '*/media/test_[i-z]*'
unit-media:
	@$(PYTEST_UNIT) tests/agent/media tests/bench --ignore-glob '*/media/test_[!i-z]*'
unit-rest:
	@$(PYTEST_UNIT) tests $(addprefix --ignore tests/,agent bench firmware systemd)

lint: packages-run $(VENV)/ready ## Style, types and the walls between the folders
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

format: $(VENV)/ready ## Let ruff lay out the code
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

bundle: packages-test $(VENV)/ready ## A signed update of the image that was made last: build/halsorum-vm-VERSION.raucb (BOARD=vm)
	@$(BIN)/python -m firmware.update.bundle --board $(or $(BOARD),vm) --out $(or $(IMAGES),build) \
	  --root $(or $(IMAGES),build)/$(or $(BOARD),vm)/root.ext4 --keys $(or $(IMAGES),build)/keys $(OPTIONS)

bench: packages-test $(VENV)/ready ## Latency and processor beside stock aiortc and Chromium (JSON=file)
	@$(BIN)/python -m tests.bench $(if $(JSON),--json $(JSON))

bench-net: packages-test $(VENV)/ready ## The unit on bad lines beside Chromium (JSON=file CASES="drop 300k" ROUNDS=n)
	@$(BIN)/python -m tests.bench.net $(if $(JSON),--json $(JSON)) $(if $(CASES),--cases "$(CASES)") \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(OPTIONS)

bench-people: packages-test $(VENV)/ready ## Meetings of three and five parties in real browsers: who sees how much (JSON=file ROUNDS=n)
	@$(BIN)/python -m tests.bench.people $(if $(JSON),--json $(JSON)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(OPTIONS)

bench-echo: packages-test $(VENV)/ready ## Echo return loss of the shipped audio graph in rooms made by code (JSON=file ROUNDS=n)
	@$(BIN)/python -m tests.bench.echo $(if $(JSON),--json $(JSON)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(OPTIONS)

bench-fleet: packages-test $(VENV)/ready ## Thousands of units at the real broker and region: storms, changes, losses (JSON=file UNITS="250 2000" ROUNDS=n)
	@$(BIN)/python -m tests.bench.fleet $(if $(JSON),--json $(JSON)) $(if $(UNITS),--units $(UNITS)) \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(OPTIONS)

bench-selftest: packages-test $(VENV)/ready ## Forty faults before a session, a thousand healthy self-tests (JSON=file RUNS=n)
	@$(BIN)/python -m tests.bench.selftest $(if $(JSON),--json $(JSON)) $(if $(RUNS),--runs $(RUNS)) \
		--plot build/bench-selftest.png $(OPTIONS)

bench-idle: packages-test $(VENV)/ready ## What the agent costs when nobody is there: start, processor, files written (JSON=file)
	@$(BIN)/python -m tests.bench.idle $(if $(JSON),--json $(JSON)) $(OPTIONS)

recovery: packages-test $(VENV)/ready ## How a call comes back when lines, servers and pages fail; needs root (JSON=file)
	@$(BIN)/python -m tests.recovery $(if $(JSON),--json $(JSON)) $(OPTIONS)

soak: packages-test $(VENV)/ready ## Half an hour in call, 200 short calls: memory flat, nothing left (MINUTES=30 CALLS=200 JSON=file)
	@$(BIN)/python -m tests.soak --minutes $(MINUTES) --calls $(CALLS) $(if $(JSON),--json $(JSON))

torture: packages-test $(VENV)/ready ## The agent is killed a thousand times: no unit lost, no command done twice (CYCLES=1000 JSON=file)
	@$(BIN)/python -m tests.torture --cycles $(CYCLES) $(if $(JSON),--json $(JSON)) $(OPTIONS)

image: packages-image $(VENV)/ready ## A disk image of a unit, its SBOM and sizes; needs root (BOARD=vm, x86, pi4 or pi5)
	@$(BIN)/python -m firmware.image --board $(BOARD) --out $(IMAGES)

image-twice: packages-image $(VENV)/ready ## Build an image again from nothing, and name every file that differs (BOARD=vm)
	@$(BIN)/python -m firmware.image --board $(BOARD) --out $(IMAGES)
	@rm -rf $(IMAGES)/again && mkdir -p $(IMAGES)/again && ln -s ../keys $(IMAGES)/again/keys
	@$(BIN)/python -m firmware.image --board $(BOARD) --out $(IMAGES)/again
	@$(BIN)/python -m firmware.image.compare $(IMAGES)/$(BOARD)/root $(IMAGES)/again/$(BOARD)/root
	@cmp $(IMAGES)/halsorum-$(BOARD).img $(IMAGES)/again/halsorum-$(BOARD).img

vm-test: packages-lab $(VENV)/ready ## Boot the vm image in QEMU, hold a call, break things; needs root (SCENES="camera cuts" IMAGE=file JSON=file)
	@[ -e $(IMAGE) ] || $(MAKE) --no-print-directory image BOARD=vm
	@$(BIN)/python -m tests.vm --image $(IMAGE) $(if $(SCENES),--scenes "$(SCENES)") $(if $(JSON),--json $(JSON)) $(OPTIONS)

vm-cuts: packages-lab $(VENV)/ready ## The plug is pulled at a hundred random moments of that machine (CUTS=100 JSON=file)
	@[ -e $(IMAGE) ] || $(MAKE) --no-print-directory image BOARD=vm
	@CUTS=$(CUTS) $(BIN)/python -m tests.vm --image $(IMAGE) --scenes cuts $(if $(JSON),--json $(JSON)) $(OPTIONS)

lock: $(VENV)/ready ## Resolve the versions anew into .ci/requirements.lock
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --upgrade --extra dev pyproject.toml -o .ci/requirements.lock

clean: ## Remove all state of make run: keys, accounts, bookings, logs
	@rm -rf $(RUN)

distclean: clean ## Also remove the Python environment and caches
	@rm -rf $(VENV) out build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

packages-run:
	@.ci/packages $(PACKAGES_RUN)

packages-image:
	@.ci/packages $(PACKAGES_IMAGE)

packages-lab:
	@.ci/packages $(PACKAGES_LAB)

packages-test:
	@.ci/packages $(PACKAGES_TEST)

$(VENV)/ready: .ci/requirements.lock pyproject.toml
	@echo "Python packages: installing into $(VENV) (a minute or two the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .ci/requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . 2>/dev/null \
	  || $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@
