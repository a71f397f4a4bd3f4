"""Course content, whatever it was made from: its types, the sanitizer for HTML, and how it is stored."""
