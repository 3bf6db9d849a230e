# SPDX-License-Identifier: Apache-2.0
"""One file per exercise: recognition, repetitions, holds; programme and guided session."""
