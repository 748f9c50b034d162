namespace ImageStore.Store.Containers;

/// <summary>A message that is kept for its owner and not looked into.</summary>
/// <param name="Type">What it is, as its type URL says.</param>
/// <param name="Value">Its bytes.</param>
public sealed record TypedBytes(string Type, byte[] Value);
