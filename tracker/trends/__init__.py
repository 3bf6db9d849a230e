# SPDX-License-Identifier: Apache-2.0
"""Epochs and diary to metrics, baselines and single-person statistics."""
