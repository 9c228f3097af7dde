//! Holds the table against two tables that others wrote.
