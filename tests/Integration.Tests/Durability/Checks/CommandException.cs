namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>A command failed that has to succeed.</summary>
internal sealed class CommandException(string message) : Exception(message);
