# SPDX-License-Identifier: Apache-2.0
"""From packets to samples, epochs, trends and advice, and keeping them."""
