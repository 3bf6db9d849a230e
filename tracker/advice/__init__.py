# SPDX-License-Identifier: Apache-2.0
"""Rules and screening as data, one engine."""
