"""What the page asks for, answered: JSON and PNG by path; by `symae.inspector.tabs` what a tab asks for."""
