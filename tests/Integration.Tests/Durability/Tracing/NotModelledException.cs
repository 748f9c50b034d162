namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <summary>A traced program did something that the model of the disk does not know: the tests would be blind to it.</summary>
internal sealed class NotModelledException(string message) : Exception(message);
