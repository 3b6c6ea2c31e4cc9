"""One self-contained HTML page of text, tables, pictures and curves: what a run shows at its end."""

from symae.report.notebook import NotebookReport
from symae.report.page import Report
from symae.report.picture import Picture

__all__ = ["NotebookReport", "Picture", "Report"]
