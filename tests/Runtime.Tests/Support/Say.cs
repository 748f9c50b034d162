using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Tests.Support;

/// <summary>What an error has to say.</summary>
internal static class Say
{
    /// <summary>Throws one of <paramref name="kind"/> that names all of <paramref name="words"/> and a way out.</summary>
    public static void Fault(ErrorKind kind, Action work, params string[] words)
    {
        var failure = Assert.Throws<ImageStoreException>(work);
        Assert.Equal(kind, failure.Kind);
        Assert.All(words, word => Assert.Contains(word, failure.Message, StringComparison.Ordinal));
        Assert.False(string.IsNullOrWhiteSpace(failure.Remedy), $"'{failure.Message}' says not what to do");
        Assert.DoesNotContain(failure.Message, char.IsControl);
    }
}
