# SPDX-License-Identifier: Apache-2.0
"""Samples to epochs: each step a pure function with carried state."""
