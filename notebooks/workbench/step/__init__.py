"""A step of a chapter: shown, planned, applied, proven, settled, rewound to."""
