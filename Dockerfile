# SPDX-License-Identifier: Apache-2.0
# One image for collector, dashboard and the preparation of InfluxDB.
# It needs the package index alone: no system package is installed.
FROM python:3.12-slim

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY firmware_protocol firmware_protocol
COPY tracker tracker
COPY dashboard dashboard
RUN pip install --no-cache-dir ".[all]" \
 && useradd --uid 1000 --create-home backstay \
 && install -d -m 0700 -o backstay /data \
 && install -d -m 0755 -o backstay /tokens /tokens/write /tokens/read

ENV BACKSTAY_DATA=/data PYTHONUNBUFFERED=1
USER backstay
WORKDIR /data
VOLUME /data
CMD ["backstay", "collect"]
