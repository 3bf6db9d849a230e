# SPDX-License-Identifier: Apache-2.0
# One image for collector, dashboard and the preparation of InfluxDB.
# It needs the package index alone: no system package is installed.
FROM python:3.12-slim

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY firmware_protocol firmware_protocol
COPY tracker tracker
COPY dashboard dashboard
# The version is the one of this folder; ranges of the rest stand in pyproject.toml.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ".[all]" \
 && useradd --uid 1000 --create-home backstay \
 && install -d -m 0700 -o backstay /data \
 && install -d -m 0755 -o backstay /tokens /tokens/write /tokens/read

# Only /data is written, and /tmp, where libraries look for a home.
ENV BACKSTAY_DATA=/data HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 1000
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=30s --timeout=10s --retries=3 \
  CMD ["python", "-c", "import pathlib, sys, tracker.collect.control as c; sys.exit(not c.ControlClient(pathlib.Path('/data'), 5).running())"]
CMD ["backstay", "collect"]
