using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Options;

/// <summary>The one error for an option that cannot be: what was written, why not, and how it is written.</summary>
internal static class OptionFault
{
    public static ImageStoreException Of(string option, string text, string why, string remedy) =>
        new(ErrorKind.InvalidArgument, $"{option} '{Printable.Of(text)}' {why}.", remedy);
}
