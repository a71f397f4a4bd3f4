"""Reads Open edX course archives (OLX). Archives are untrusted: every reader here enforces limits."""
