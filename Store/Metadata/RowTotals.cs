namespace ImageStore.Store.Metadata;

/// <summary>What the rows of a namespace in a table add up to; always exact, since each change keeps it so.</summary>
/// <param name="Count">How many rows.</param>
/// <param name="Weight">The sum of what the table weighs them by, such as bytes; 0 where it does not.</param>
public readonly record struct RowTotals(int Count, long Weight);
