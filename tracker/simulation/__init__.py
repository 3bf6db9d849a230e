# SPDX-License-Identifier: Apache-2.0
"""Simulated sensors, bodies and weeks: for the demo, benches and tests."""
