# SPDX-License-Identifier: Apache-2.0
"""Texts, charts, PDF: everything a person reads, without Streamlit."""
