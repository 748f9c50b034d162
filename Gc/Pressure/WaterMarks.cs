using ImageStore.Store.Errors;

namespace ImageStore.Gc.Pressure;

/// <summary>Between which shares of the filesystem images are removed by themselves.</summary>
/// <param name="High">Above this share used, from 0 to 1, images go.</param>
/// <param name="Low">Until this share is used.</param>
public sealed record WaterMarks(double High, double Low)
{
    /// <summary>The marks, when they can be.</summary>
    /// <exception cref="ImageStoreException">They cannot (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static WaterMarks Of(double high, double low) => low is >= 0 and < 1 && high is > 0 and <= 1 && low < high
        ? new WaterMarks(high, low)
        : throw new ImageStoreException(
            ErrorKind.InvalidArgument, $"Images cannot be removed from {high:P0} used down to {low:P0}.", "The high mark is above the low one, and both are between 0 and 100 %.");
}
