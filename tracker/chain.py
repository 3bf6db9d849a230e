# SPDX-License-Identifier: Apache-2.0
"""The steps in order: samples in, epochs out, live and batch alike."""
